//! What a schema says, in a line or a table of HTML.

use std::fmt::Write;

use serde_json::{Map, Value};

/// Text as HTML; what stands between backticks becomes code.
pub(super) fn prose(text: &str) -> String {
    let mut html = String::new();
    for (at, part) in text.split('`').enumerate() {
        let part = escaped(part);
        match at % 2 {
            0 => html.push_str(&part),
            _ => {
                let _ = write!(html, "<code>{part}</code>");
            }
        }
    }
    html
}

/// Text that stands for itself in HTML, also within quotes.
pub(super) fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            c => html.push(c),
        }
    }
    html
}

/// A schema in a line.
pub(super) fn line(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str() {
        let name = escaped(name.rsplit('/').next().unwrap_or_default());
        return format!("<a href=\"#schema-{name}\">{name}</a>");
    }
    for word in ["anyOf", "oneOf"] {
        if let Some(items) = schema[word].as_array() {
            let items: Vec<_> = items.iter().map(line).collect();
            return items.join(" or ");
        }
    }
    if let Some(values) = schema["enum"].as_array() {
        let values = values
            .iter()
            .map(|value| format!("<code>{}</code>", escaped(&value.to_string())));
        return values.collect::<Vec<_>>().join(", ");
    }
    if schema["type"] == "array" {
        return format!("list{} of {}", bounds(schema), line(&schema["items"]));
    }
    if let Some(fields) = fields(schema) {
        let fields: Vec<_> = fields
            .into_iter()
            .map(|field| {
                format!(
                    "<code>{}</code>: {}",
                    escaped(field.name),
                    line(field.schema)
                )
            })
            .collect();
        return format!("{{{}}}", fields.join(", "));
    }
    let kind = match &schema["type"] {
        Value::String(kind) => kind.clone(),
        Value::Array(kinds) => {
            let kinds: Vec<_> = kinds.iter().filter_map(Value::as_str).collect();
            kinds.join(" or ")
        }
        _ => "anything".to_owned(),
    };
    let format = schema["format"]
        .as_str()
        .map(|format| format!(", {format}"));
    format!(
        "{}{}{}",
        escaped(&kind),
        format.unwrap_or_default(),
        bounds(schema)
    )
}

/// The bounds of a value, where it has any.
fn bounds(schema: &Value) -> String {
    let pairs = [
        ("minLength", "maxLength", " characters"),
        ("minItems", "maxItems", ""),
        ("minimum", "maximum", ""),
    ];
    let mut said = String::new();
    for (least, most, of) in pairs {
        let _ = match (&schema[least], &schema[most]) {
            (Value::Null, Value::Null) => Ok(()),
            (least, Value::Null) => write!(said, ", from {least}{of}"),
            (Value::Null, most) => write!(said, ", to {most}{of}"),
            (least, most) => write!(said, ", {least} to {most}{of}"),
        };
    }
    said
}

/// A field of an object.
struct Field<'a> {
    name: &'a str,
    schema: &'a Value,
    required: bool,
}

/// The fields of an object; `None` where the schema is none that lists them.
fn fields(schema: &Value) -> Option<Vec<Field<'_>>> {
    if let Some(parts) = schema["allOf"].as_array() {
        let fields: Vec<_> = parts.iter().filter_map(fields).flatten().collect();
        return (!fields.is_empty()).then_some(fields);
    }
    let properties: &Map<_, _> = schema["properties"].as_object()?;
    let required = schema["required"].as_array();
    let is_required = |name: &str| required.is_some_and(|all| all.iter().any(|one| one == name));
    let fields = properties.iter().map(|(name, schema)| Field {
        name,
        schema,
        required: is_required(name),
    });
    Some(fields.collect())
}

/// A schema as a table of its fields, or as a line.
pub(super) fn table(schema: &Value) -> String {
    let Some(fields) = fields(schema) else {
        return format!("<p>{}</p>\n", line(schema));
    };
    let mut html = String::from("<table>\n<tr><th>field</th><th>value</th><th></th></tr>\n");
    for Field {
        name,
        schema,
        required,
    } in fields
    {
        let mark = if required { "" } else { "?" };
        let says = schema["description"].as_str().unwrap_or_default();
        let (name, line, says) = (escaped(name), line(schema), prose(says));
        let _ = writeln!(
            html,
            "<tr><td><code>{name}</code>{mark}</td><td>{line}</td><td>{says}</td></tr>"
        );
    }
    html.push_str("</table>\n");
    // Another object that is part of it is listed with it.
    for part in schema["allOf"].as_array().into_iter().flatten() {
        if part["$ref"].is_string() {
            let _ = writeln!(html, "<p>and the fields of {}</p>", line(part));
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn text_stays_text() {
        assert_eq!(
            prose("a `<b>` & 'c'"),
            "a <code>&lt;b&gt;</code> &amp; &#39;c&#39;"
        );
    }

    #[test]
    fn a_schema_is_said_in_a_line() {
        let said = |schema: Value| line(&schema);
        assert_eq!(
            said(json!({"type": "string", "minLength": 1, "maxLength": 5})),
            "string, 1 to 5 characters"
        );
        assert_eq!(said(json!({"type": ["string", "null"]})), "string or null");
        assert_eq!(said(json!({"enum": ["a"]})), "<code>&quot;a&quot;</code>");
        assert_eq!(
            said(json!({"type": "array", "items": {"$ref": "#/components/schemas/PollId"}})),
            "list of <a href=\"#schema-PollId\">PollId</a>"
        );
        assert_eq!(said(json!({})), "anything");
    }

    #[test]
    fn an_object_is_a_table_of_its_fields() {
        let schema = json!({"allOf": [
            {"$ref": "#/components/schemas/Receipt"},
            {"properties": {"a": {"type": "integer", "minimum": 0}, "b": {}}, "required": ["a"]},
        ]});
        let html = table(&schema);
        assert!(
            html.contains("<td><code>a</code></td><td>integer, from 0</td>"),
            "{html}"
        );
        assert!(html.contains("<td><code>b</code>?</td>"), "{html}");
        assert!(
            html.contains("and the fields of <a href=\"#schema-Receipt\">"),
            "{html}"
        );
    }
}
