//! Path, then method, then handler: so that a wrong method is told from a wrong path, with the methods that would do.

use std::future::Future;
use std::pin::Pin;

use http::{HeaderValue, Method};
use polling_core::wire::UnknownFields;

use crate::answer_size::AnswerSize;
#[cfg(feature = "openapi")]
use crate::page::Page;
use crate::problem::Problem;
use crate::request::Call;
use crate::response::Answer;

type Handler = Box<dyn Fn(Box<Call>) -> Pin<Box<dyn Future<Output = Answer> + Send>> + Send + Sync>;

/// Whether the caller may send a body, as far as it is not needed to tell. What this refuses is never read.
pub(crate) type Check = fn(&Call) -> Checked<'_>;

/// What a [`Check`] says, later.
pub(crate) type Checked<'a> = Pin<Box<dyn Future<Output = Result<(), Problem>> + Send + 'a>>;

/// Which body an endpoint reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    /// None: what is sent is thrown away.
    Nothing,
    /// A JSON object.
    Json,
    /// A JSON object that holds many others.
    Batch,
    /// Rows, which the handler reads while they come in.
    #[cfg(feature = "accounts")]
    Rows,
}

/// A method of a route.
pub(crate) struct Endpoint {
    pub(crate) method: Method,
    pub(crate) takes: Takes,
    /// Asked before a body is read, unless that is small.
    pub(crate) check: Option<Check>,
    pub(crate) answer: AnswerSize,
    pub(crate) run: Handler,
}

/// A path with all that can be asked of it.
pub(crate) struct Route {
    /// The path as it is documented: this is logged, never the path of a request.
    pub(crate) template: &'static str,
    pub(crate) unknown_fields: UnknownFields,
    /// Whether the credential is looked at.
    pub(crate) authenticates: bool,
    pub(crate) endpoints: Vec<Endpoint>,
}

impl Route {
    pub(crate) fn at(template: &'static str) -> Self {
        Self {
            template,
            unknown_fields: UnknownFields::Refuse,
            authenticates: true,
            endpoints: Vec::new(),
        }
    }

    /// For clients of older systems, which send more than we know.
    pub(crate) fn alias(template: &'static str) -> Self {
        Self {
            unknown_fields: UnknownFields::PassOver,
            ..Self::at(template)
        }
    }

    /// For probes: whoever asks is answered, whatever they send along.
    pub(crate) fn probe(template: &'static str) -> Self {
        Self {
            authenticates: false,
            ..Self::at(template)
        }
    }

    pub(crate) fn get<F>(self, handler: fn(Box<Call>) -> F) -> Self
    where
        F: Future<Output = Answer> + Send + 'static,
    {
        self.on(Method::GET, Takes::Nothing, handler)
    }

    pub(crate) fn post<F>(self, takes: Takes, handler: fn(Box<Call>) -> F) -> Self
    where
        F: Future<Output = Answer> + Send + 'static,
    {
        self.on(Method::POST, takes, handler)
    }

    pub(crate) fn on<F>(mut self, method: Method, takes: Takes, handler: fn(Box<Call>) -> F) -> Self
    where
        F: Future<Output = Answer> + Send + 'static,
    {
        self.endpoints.push(Endpoint {
            method,
            takes,
            check: None,
            answer: match takes {
                Takes::Nothing | Takes::Json => AnswerSize::One,
                Takes::Batch => AnswerSize::Batch,
                // One import runs at a time, and its rows may come slowly: it keeps nobody from anything.
                #[cfg(feature = "accounts")]
                Takes::Rows => AnswerSize::Small,
            },
            run: Box::new(move |call| Box::pin(handler(call))),
        });
        self
    }

    /// What is asked before the body of the last endpoint is read. The handler asks all of it again, so that nothing is decided
    /// here alone.
    pub(crate) fn checked(mut self, check: Check) -> Self {
        if let Some(endpoint) = self.endpoints.last_mut() {
            endpoint.check = Some(check);
        }
        self
    }

    /// The endpoint before has small answers.
    pub(crate) fn small(self) -> Self {
        self.answers(AnswerSize::Small)
    }

    /// The endpoint before answers with many things.
    pub(crate) fn many(self) -> Self {
        self.answers(AnswerSize::Many)
    }

    /// All of its endpoints have small answers.
    #[cfg(feature = "accounts")]
    pub(crate) fn all_small(mut self) -> Self {
        for endpoint in &mut self.endpoints {
            endpoint.answer = AnswerSize::Small;
        }
        self
    }

    fn answers(mut self, size: AnswerSize) -> Self {
        if let Some(endpoint) = self.endpoints.last_mut() {
            endpoint.answer = size;
        }
        self
    }

    /// The same bytes to everybody who gets it.
    #[cfg(feature = "openapi")]
    pub(crate) fn page(template: &'static str, page: Page) -> Self {
        let page = std::sync::Arc::new(page);
        let mut route = Self::probe(template);
        route.endpoints.push(Endpoint {
            method: Method::GET,
            takes: Takes::Nothing,
            check: None,
            answer: AnswerSize::Many,
            run: Box::new(move |call| {
                let answer = page.answer(&call);
                Box::pin(async move { Ok(answer) })
            }),
        });
        route
    }

    /// Whether it passes over fields that it does not know.
    #[cfg(feature = "openapi")]
    pub(crate) fn passes_over(&self) -> bool {
        self.unknown_fields == UnknownFields::PassOver
    }

    fn allow(&self) -> HeaderValue {
        let mut methods: Vec<&str> = Vec::new();
        for endpoint in &self.endpoints {
            methods.push(endpoint.method.as_str());
            if endpoint.method == Method::GET {
                methods.push("HEAD");
            }
        }
        methods.push("OPTIONS");
        // The names of methods are good in headers.
        HeaderValue::try_from(methods.join(", ")).unwrap_or(HeaderValue::from_static("OPTIONS"))
    }
}

/// The ids in a path, in their order, whatever the template calls them.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    /// Of the thing.
    pub(crate) outer: Option<String>,
    /// Of something in it.
    #[cfg_attr(
        not(feature = "accounts"),
        expect(dead_code, reason = "only rooms with accounts have such paths")
    )]
    pub(crate) inner: Option<String>,
}

/// What a request asks for.
pub(crate) enum Found<'a> {
    /// This, of the thing that these ids name.
    Endpoint(&'a Route, &'a Endpoint, Ids),
    /// What else it could ask for.
    Options(&'a Route, HeaderValue),
    /// Something that this route does not do, but these.
    OtherMethod(&'a Route, HeaderValue),
    /// There is no such route.
    Nothing,
}

impl Found<'_> {
    /// The documented path.
    pub(crate) fn template(&self) -> &'static str {
        match self {
            Found::Endpoint(route, ..)
            | Found::Options(route, _)
            | Found::OtherMethod(route, _) => route.template,
            Found::Nothing => "none",
        }
    }
}

/// The table of all routes.
pub(crate) struct Router {
    routes: matchit::Router<Route>,
}

impl Router {
    /// # Panics
    /// Where two routes are the same: the table is a constant of this package.
    pub(crate) fn new(table: impl IntoIterator<Item = Route>) -> Self {
        let mut routes = matchit::Router::new();
        for route in table {
            let template = route.template;
            if let Err(error) = routes.insert(template, route) {
                panic!("the route {template}: {error}");
            }
        }
        Self { routes }
    }

    pub(crate) fn find(&self, method: &Method, path: &str) -> Found<'_> {
        let Ok(found) = self.routes.at(path) else {
            return Found::Nothing;
        };
        let route = found.value;
        // HEAD is GET without the body, which is cut off at the end.
        let wanted = if method == Method::HEAD {
            &Method::GET
        } else {
            method
        };
        let mut endpoints = route.endpoints.iter();
        match endpoints.find(|endpoint| endpoint.method == *wanted) {
            Some(endpoint) => {
                let mut ids = found.params.iter().map(|(_, id)| id.to_owned());
                let (outer, inner) = (ids.next(), ids.next());
                Found::Endpoint(route, endpoint, Ids { outer, inner })
            }
            None if method == Method::OPTIONS => Found::Options(route, route.allow()),
            None => Found::OtherMethod(route, route.allow()),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;
    use crate::response;

    async fn none(_call: Box<Call>) -> Answer {
        Ok(response::empty(StatusCode::NO_CONTENT))
    }

    fn find(method: &Method, path: &str) -> String {
        let router = Router::new([
            Route::at("/polls").get(none).post(Takes::Json, none),
            Route::at("/polls/{id}/vote").on(Method::PUT, Takes::Json, none),
            Route::at("/rooms/{id}/seats/{seat_id}").get(none),
        ]);
        match router.find(method, path) {
            Found::Endpoint(route, endpoint, Ids { outer, inner }) => {
                let (template, method) = (route.template, &endpoint.method);
                let ids: Vec<String> = outer.into_iter().chain(inner).collect();
                format!("{method} {template} {}", ids.join(" "))
            }
            Found::Options(_, allow) => format!("options: {}", allow.to_str().unwrap()),
            Found::OtherMethod(_, allow) => format!("allow: {}", allow.to_str().unwrap()),
            Found::Nothing => "nothing".into(),
        }
    }

    #[test]
    fn a_route_is_found_by_path_and_method() {
        assert_eq!(find(&Method::POST, "/polls"), "POST /polls ");
        assert_eq!(
            find(&Method::PUT, "/polls/a%20b/vote"),
            "PUT /polls/{id}/vote a%20b"
        );
        assert_eq!(
            find(&Method::GET, "/rooms/a/seats/b"),
            "GET /rooms/{id}/seats/{seat_id} a b"
        );
        for path in [
            "/",
            "",
            "*",
            "/poll",
            "/polls/",
            "/polls//vote",
            "/polls/a/b",
        ] {
            assert_eq!(find(&Method::GET, path), "nothing", "{path}");
        }
    }

    #[test]
    fn head_is_answered_by_get() {
        assert_eq!(find(&Method::HEAD, "/polls"), "GET /polls ");
        assert_eq!(find(&Method::HEAD, "/polls/a/vote"), "allow: PUT, OPTIONS");
    }

    #[test]
    fn what_would_do_is_named() {
        assert_eq!(
            find(&Method::DELETE, "/polls"),
            "allow: GET, HEAD, POST, OPTIONS"
        );
        assert_eq!(
            find(&Method::OPTIONS, "/polls"),
            "options: GET, HEAD, POST, OPTIONS"
        );
        assert_eq!(find(&Method::OPTIONS, "/x"), "nothing");
    }
}
