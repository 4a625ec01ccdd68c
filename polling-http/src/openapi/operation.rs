//! How an operation is described: what is particular to it is said beside its route's room, and what follows from the table
//! of routes (who may ask, which body is read, what every request may be refused for) is added here.

use std::collections::{BTreeMap, BTreeSet};

use http::{Method, StatusCode};
use polling_core::openapi::of_type as schema_of;
use polling_core::{Code, Kind};
use serde_json::Value;
use utoipa::openapi::link::LinkBuilder;
use utoipa::openapi::path::{
    HttpMethod, Operation, OperationBuilder, ParameterBuilder, ParameterIn,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{AdditionalProperties, ArrayItems, Schema, Type};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Required, Response, ResponseBuilder};
use utoipa::{PartialSchema, ToSchema};

use super::failures;
use crate::answer_size::AnswerSize;
use crate::problem::status_of;
use crate::router::{Endpoint, Route, Takes};

/// The name of the one way to say who asks.
pub(super) const BEARER: &str = "bearer";

/// A schema with the name under which it stands in the document.
type Named = (String, RefOr<Schema>);

/// What is particular to one operation.
pub(crate) struct Description {
    pub(super) method: Method,
    pub(super) template: &'static str,
    operation: OperationBuilder,
    /// Left out where the operation reads none.
    body: Option<(Named, Value)>,
    /// Bodies that are no JSON: each type with one that works when it is tried.
    texts: Vec<(&'static str, Value)>,
    responses: Vec<(StatusCode, Response)>,
    codes: Vec<Code>,
    needs_token: bool,
    pub(super) schemas: Vec<Named>,
}

/// An operation, ready for the document.
pub(super) struct Described {
    pub(super) method: HttpMethod,
    pub(super) operation: Operation,
    pub(super) schemas: Vec<Named>,
    /// The failures, each the codes of a status.
    pub(super) failures: BTreeMap<StatusCode, BTreeSet<&'static str>>,
}

/// Describes the operation of this method and path; `id` names it for generated clients.
pub(super) fn operation(
    method: Method,
    template: &'static str,
    id: &str,
    summary: &str,
) -> Description {
    let operation = OperationBuilder::new()
        .operation_id(Some(id))
        .summary(Some(summary));
    Description {
        method,
        template,
        operation,
        body: None,
        texts: Vec::new(),
        responses: Vec::new(),
        codes: Vec::new(),
        needs_token: false,
        schemas: Vec::new(),
    }
}

impl Description {
    /// What there is to know beyond the summary, in Markdown.
    pub(super) fn says(mut self, text: &str) -> Self {
        self.operation = self.operation.description(Some(text));
        self
    }

    /// Under which heading it stands.
    pub(super) fn tagged(mut self, tag: &str) -> Self {
        self.operation = self.operation.tag(tag);
        self
    }

    /// Nobody but who shows a token is answered.
    pub(super) fn needs_token(mut self) -> Self {
        self.needs_token = true;
        self
    }

    /// The `{name}` of the path.
    pub(super) fn path<T: PartialSchema>(self, name: &str, says: &str) -> Self {
        self.parameter(ParameterIn::Path, name, says, T::schema())
    }

    /// A parameter of the query, which may be left out.
    pub(super) fn query(self, name: &str, says: &str, schema: impl Into<RefOr<Schema>>) -> Self {
        self.parameter(ParameterIn::Query, name, says, schema)
    }

    /// A header, which may be left out.
    pub(super) fn header(self, name: &str, says: &str, schema: impl Into<RefOr<Schema>>) -> Self {
        self.parameter(ParameterIn::Header, name, says, schema)
    }

    fn parameter(
        mut self,
        place: ParameterIn,
        name: &str,
        says: &str,
        schema: impl Into<RefOr<Schema>>,
    ) -> Self {
        let required = match place {
            ParameterIn::Path => Required::True,
            _ => Required::False,
        };
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(place)
            .required(required)
            .description(Some(says))
            .schema(Some(schema));
        self.operation = self.operation.parameter(parameter);
        self
    }

    /// The body, with one that works when it is tried.
    pub(super) fn takes<T: ToSchema>(mut self, example: Value) -> Self {
        T::schemas(&mut self.schemas);
        self.body = Some(((T::name().into_owned(), T::schema()), example));
        self
    }

    /// A body of lines, of this type, with one that works when it is tried.
    #[cfg(feature = "accounts")]
    pub(super) fn takes_lines(mut self, of_type: &'static str, example: &str) -> Self {
        self.texts.push((of_type, example.into()));
        self
    }

    /// An answer of lines, of this type.
    #[cfg(feature = "accounts")]
    pub(super) fn answers_lines(
        self,
        status: StatusCode,
        of_type: &'static str,
        says: &str,
    ) -> Self {
        let text = ContentBuilder::new().schema(Some(schema_of(Type::String)));
        let response = ResponseBuilder::new()
            .description(says)
            .content(of_type, text.build());
        self.answers_with(status, response)
    }

    /// An answer with a body.
    pub(super) fn answers<T: ToSchema>(mut self, status: StatusCode, says: &str) -> Self {
        T::schemas(&mut self.schemas);
        let name = T::name().into_owned();
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(&name)));
        self.schemas.push((name, T::schema()));
        let response = ResponseBuilder::new()
            .description(says)
            .content("application/json", content.build());
        self.answers_with(status, response)
    }

    /// Any other answer.
    pub(super) fn answers_with(mut self, status: StatusCode, response: ResponseBuilder) -> Self {
        self.responses.push((status, response.build()));
        self
    }

    /// A header of the last answer that was described.
    pub(super) fn with(mut self, name: &str, says: &str) -> Self {
        if let Some((_, response)) = self.responses.last_mut() {
            let header = failures::text_header(says);
            response.headers.insert(name.to_owned(), RefOr::T(header));
        }
        self
    }

    /// The last answer in another form, for who asks for that one.
    pub(super) fn or_as(mut self, media_type: &str, schema: impl Into<RefOr<Schema>>) -> Self {
        if let Some((_, response)) = self.responses.last_mut() {
            let content = ContentBuilder::new().schema(Some(schema));
            let content = content.build();
            response
                .content
                .insert(media_type.to_owned(), RefOr::T(content));
        }
        self
    }

    /// What can be done with the id in the last answer, with a body where that takes one.
    pub(super) fn leads_to(self, operation: &str, body: Option<Value>) -> Self {
        self.leads_on_to(operation, &[("id", "$response.body#/id")], body)
    }

    /// The same, with what each parameter is taken from.
    pub(super) fn leads_on_to(
        mut self,
        operation: &str,
        parameters: &[(&str, &str)],
        body: Option<Value>,
    ) -> Self {
        if let Some((_, response)) = self.responses.last_mut() {
            let link = LinkBuilder::new()
                .operation_id(operation)
                .request_body(body);
            let link = parameters
                .iter()
                .fold(link, |link, (name, from)| link.parameter(*name, *from));
            let link = RefOr::T(link.build());
            response.links.insert(operation.to_owned(), link);
        }
        self
    }

    /// What it may be refused for, beside what every request may be.
    pub(super) fn refuses(mut self, codes: &[Code]) -> Self {
        self.codes.extend(codes);
        self
    }

    /// The whole description, with what follows from the route; operations of other services have none.
    pub(super) fn finish(mut self, route: Option<(&Route, &Endpoint)>) -> Described {
        let mut failures = BTreeMap::<_, BTreeSet<_>>::new();
        let mut refuse = |status: StatusCode, code| {
            failures.entry(status).or_default().insert(code);
        };
        for code in &self.codes {
            refuse(status_of(code.kind()), code.as_str());
        }
        for code in [Code::Internal, Code::Unavailable] {
            refuse(status_of(code.kind()), code.as_str());
        }
        let mut passes_over = false;
        if let Some((route, endpoint)) = route {
            passes_over = route.passes_over();
            if route.authenticates {
                refuse(status_of(Kind::Unauthorized), Code::Unauthorized.as_str());
            }
            if endpoint.answer != AnswerSize::Small {
                refuse(status_of(Kind::Overloaded), Code::Overloaded.as_str());
            }
            if endpoint.takes != Takes::Nothing {
                for (status, code) in failures::OF_BODIES {
                    refuse(status, code);
                }
            }
            self.secure(route.authenticates);
        }
        if let Some(((name, mut schema), example)) = self.body.take() {
            if !passes_over {
                close(&mut schema);
            }
            let name = if passes_over {
                format!("Old{name}")
            } else {
                name
            };
            let name = name.replacen("OldOld", "Old", 1);
            let content = ContentBuilder::new()
                .schema(Some(Ref::from_schema_name(&name)))
                .example(Some(example));
            let body = RequestBodyBuilder::new()
                .content("application/json", content.build())
                .required(Some(Required::True));
            self.operation = self.operation.request_body(Some(body.build()));
            self.schemas.push((name, schema));
        }
        if !self.texts.is_empty() {
            let mut body = RequestBodyBuilder::new().required(Some(Required::True));
            for (name, example) in self.texts {
                let content = ContentBuilder::new()
                    .schema(Some(schema_of(Type::String)))
                    .example(Some(example));
                body = body.content(name, content.build());
            }
            self.operation = self.operation.request_body(Some(body.build()));
        }
        for (status, mut response) in self.responses {
            failures::mark(&mut response);
            self.operation = self.operation.response(status.as_str(), response);
        }
        for (status, codes) in &failures {
            let name = failures::name(*status, codes);
            let response = Ref::from_response_name(name);
            self.operation = self.operation.response(status.as_str(), response);
        }
        Described {
            method: method(&self.method),
            operation: self.operation.build(),
            schemas: self.schemas,
            failures,
        }
    }

    fn secure(&mut self, authenticates: bool) {
        let operation = std::mem::take(&mut self.operation);
        let token = SecurityRequirement::new(BEARER, Vec::<String>::new());
        self.operation = match (authenticates, self.needs_token) {
            (_, true) => operation.security(token),
            // Whoever sends none is somebody, too.
            (true, false) => operation
                .security(SecurityRequirement::default())
                .security(token),
            (false, false) => operation.security(SecurityRequirement::default()),
        };
    }
}

fn method(method: &Method) -> HttpMethod {
    match method.as_str() {
        "POST" => HttpMethod::Post,
        "PUT" => HttpMethod::Put,
        "PATCH" => HttpMethod::Patch,
        "DELETE" => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}

/// Says of every object that its fields are all there are: others are refused by name.
fn close(schema: &mut RefOr<Schema>) {
    let RefOr::T(schema) = schema else { return };
    match schema {
        Schema::Object(object) => {
            object.properties.values_mut().for_each(close);
            if !object.properties.is_empty() {
                object.additional_properties =
                    Some(Box::new(AdditionalProperties::FreeForm(false)));
            }
        }
        Schema::Array(array) => {
            if let ArrayItems::RefOrSchema(items) = &mut array.items {
                close(items);
            }
        }
        Schema::OneOf(of) => of.items.iter_mut().for_each(close),
        Schema::AnyOf(of) => of.items.iter_mut().for_each(close),
        Schema::AllOf(of) => of.items.iter_mut().for_each(close),
        _ => {}
    }
}
