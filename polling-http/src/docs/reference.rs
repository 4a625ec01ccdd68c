//! The reference: the whole document as one page, without any script.

use std::fmt::Write;

use serde_json::Value;

use super::shape::{escaped, line, prose, table};

/// The page that shows `document`.
pub(super) fn html(document: &Value) -> String {
    let mut html = String::with_capacity(256 * 1024);
    let info = &document["info"];
    let _ = write!(
        html,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}: reference</title>\n\
         <link rel=\"icon\" href=\"favicon-32x32.png\">\n<link rel=\"stylesheet\" href=\"reference.css\">\n</head>\n\
         <body>\n<h1>{title} {version}</h1>\n<p>{about}</p>\n\
         <p>The same to <a href=\"./\">try</a>, and as <a href=\"../openapi.json\">OpenAPI 3.1</a>.</p>\n",
        title = text(&info["title"]),
        version = text(&info["version"]),
        about = said(&info["description"]),
    );
    let rooms = document["tags"].as_array().into_iter().flatten();
    html.push_str("<nav>\n<ul>\n");
    for room in rooms.clone() {
        let name = text(&room["name"]);
        let _ = writeln!(html, "<li><a href=\"#{}\">{name}</a>\n<ul>", anchor(room));
        for (_, _, operation) in operations(document, &room["name"]) {
            let (id, summary) = (text(&operation["operationId"]), text(&operation["summary"]));
            let _ = writeln!(html, "<li><a href=\"#{id}\">{summary}</a></li>");
        }
        html.push_str("</ul></li>\n");
    }
    html.push_str("<li><a href=\"#schemas\">Schemas</a></li>\n</ul>\n</nav>\n");
    for room in rooms {
        let (name, says) = (text(&room["name"]), said(&room["description"]));
        let _ = writeln!(
            html,
            "<h2 id=\"{}\">{name}</h2>\n<p>{says}</p>",
            anchor(room)
        );
        for (method, path, operation) in operations(document, &room["name"]) {
            describe(&mut html, document, method, path, operation);
        }
    }
    html.push_str("<h2 id=\"schemas\">Schemas</h2>\n");
    for (name, schema) in document["components"]["schemas"]
        .as_object()
        .into_iter()
        .flatten()
    {
        let (name, says) = (escaped(name), said(&schema["description"]));
        let _ = writeln!(
            html,
            "<section id=\"schema-{name}\">\n<h3>{name}</h3>\n<p>{says}</p>"
        );
        html.push_str(&table(schema));
        html.push_str("</section>\n");
    }
    html.push_str("</body>\n</html>\n");
    html
}

fn text(value: &Value) -> String {
    escaped(value.as_str().unwrap_or_default())
}

fn said(value: &Value) -> String {
    prose(value.as_str().unwrap_or_default())
}

fn anchor(room: &Value) -> String {
    text(&room["name"]).replace(' ', "-").to_lowercase()
}

/// The operations of a room: method, path, and the operation itself.
fn operations<'a>(
    document: &'a Value,
    room: &'a Value,
) -> impl Iterator<Item = (&'a str, &'a str, &'a Value)> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let all = paths.flat_map(|(path, item)| {
        let methods = item.as_object().into_iter().flatten();
        methods.map(move |(method, operation)| (method.as_str(), path.as_str(), operation))
    });
    all.filter(move |(_, _, operation)| operation["tags"][0] == *room)
}

fn describe(html: &mut String, document: &Value, method: &str, path: &str, operation: &Value) {
    let id = text(&operation["operationId"]);
    let (method, path) = (method.to_uppercase(), escaped(path));
    let (summary, says) = (text(&operation["summary"]), said(&operation["description"]));
    let token = match operation["security"].as_array().map(Vec::as_slice) {
        Some([only]) if only == &serde_json::json!({}) => "No token is looked at.",
        Some([_, _]) => "With or without a token.",
        Some([_]) => "Needs a token.",
        _ => "",
    };
    let _ = writeln!(
        html,
        "<section id=\"{id}\">\n<h3>{summary}</h3>\n<p class=\"path\"><code>{method} {path}</code></p>\n<p>{says}</p>\n\
         <p>{token}</p>"
    );
    parameters(html, operation);
    if let Some(body) = operation["requestBody"]["content"].get("application/json") {
        let example = serde_json::to_string_pretty(&body["example"]).unwrap_or_default();
        let (schema, example) = (line(&body["schema"]), escaped(&example));
        let _ = writeln!(
            html,
            "<h4>Body</h4>\n<p>{schema}, as</p>\n<pre>{example}</pre>"
        );
    }
    html.push_str("<h4>Answers</h4>\n<table>\n<tr><th>status</th><th></th><th>body</th><th>headers</th></tr>\n");
    for (status, response) in operation["responses"].as_object().into_iter().flatten() {
        let response = resolved(document, response);
        let content = response["content"].as_object().into_iter().flatten();
        let bodies: Vec<_> = content
            .map(|(of, content)| match of.as_str() {
                "application/json" => line(&content["schema"]),
                // Which codes a problem has is said beside it.
                "application/problem+json" => "<a href=\"#schema-Problem\">Problem</a>".to_owned(),
                of => escaped(of),
            })
            .collect();
        let headers = response["headers"].as_object().into_iter().flatten();
        let headers: Vec<_> = headers
            .filter(|(_, header)| header["$ref"].is_null())
            .map(|(name, header)| {
                format!(
                    "<code>{}</code> {}",
                    escaped(name),
                    said(&header["description"])
                )
            })
            .collect();
        let (status, says) = (escaped(status), said(&response["description"]));
        let (bodies, headers) = (bodies.join(", "), headers.join("; "));
        let _ = writeln!(
            html,
            "<tr><td>{status}</td><td>{says}</td><td>{bodies}</td><td>{headers}</td></tr>"
        );
    }
    html.push_str("</table>\n</section>\n");
}

fn parameters(html: &mut String, operation: &Value) {
    let Some(parameters) = operation["parameters"].as_array() else {
        return;
    };
    html.push_str(
        "<h4>Parameters</h4>\n<table>\n<tr><th>name</th><th>in</th><th>value</th><th></th></tr>\n",
    );
    for parameter in parameters {
        let _ = writeln!(
            html,
            "<tr><td><code>{}</code></td><td>{}</td><td>{}</td><td>{}</td></tr>",
            text(&parameter["name"]),
            text(&parameter["in"]),
            line(&parameter["schema"]),
            said(&parameter["description"]),
        );
    }
    html.push_str("</table>\n");
}

/// What a reference points to, or the thing itself.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let pointer = value["$ref"].as_str().and_then(|to| to.strip_prefix('#'));
    pointer.and_then(|to| document.pointer(to)).unwrap_or(value)
}
