//! The schemas of what is called by a name, and of the pages of the workspaces' listings.

use std::borrow::Cow;

use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use super::{name, named, of_type, or_null};
use crate::workspaces::{
    InvitationView, Listing, MemberView, NewProject, NewWorkspace, ProjectPatch, ProjectView,
    WorkspacePatch, WorkspaceView,
};
use crate::{InvitationId, ProjectId, UserId, WorkspaceId};

named!(NewWorkspace, "NewWorkspace", with_a_name());
named!(WorkspacePatch, "WorkspacePatch", with_a_name());
named!(NewProject, "NewProject", with_a_name());
named!(ProjectPatch, "ProjectPatch", with_a_name());

fn with_a_name() -> ObjectBuilder {
    of_type(Type::Object)
        .property("name", name())
        .required("name")
}

/// A page of a listing, under the name of what it lists.
macro_rules! page {
    ($item:ty, $cursor:ty, $name:literal) => {
        impl PartialSchema for Listing<$item, $cursor> {
            fn schema() -> RefOr<Schema> {
                page_of(&<$item>::name(), <$cursor>::schema()).into()
            }
        }

        impl ToSchema for Listing<$item, $cursor> {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed($name)
            }

            fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
                <$item>::schemas(schemas);
                schemas.push((<$item>::name().into_owned(), <$item>::schema()));
            }
        }
    };
}

page!(WorkspaceView, WorkspaceId, "WorkspacePage");
page!(MemberView, UserId, "MemberPage");
page!(InvitationView, InvitationId, "InvitationPage");
page!(ProjectView, ProjectId, "ProjectPage");

fn page_of(item: &str, cursor: RefOr<Schema>) -> ObjectBuilder {
    let items = ArrayBuilder::new().items(Ref::from_schema_name(item));
    let next = or_null(cursor).description(Some(
        "Where the next page begins; null where there is none. Only this says whether there are more.",
    ));
    of_type(Type::Object)
        .property("items", items)
        .property("next_cursor", next)
        .required("items")
        .required("next_cursor")
}
