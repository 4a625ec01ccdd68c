//! Who may do what in a workspace: one pure table, Role x Action. Who is no member may do nothing, and is told that there
//! is no such workspace; the application itself may do everything.

use super::model::WorkspaceRole;

/// What somebody may want in a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    not(any(feature = "accounts", test)),
    expect(dead_code, reason = "only the use cases ask for the others")
)]
pub(crate) enum Action {
    /// See that it exists, and read it, its members, its projects and their published polls.
    Read,
    /// Create polls in its projects; edit, publish, close and delete them; read their drafts and hidden results; vouch.
    ManagePolls,
    /// Create, rename and delete projects.
    ManageProjects,
    /// Change its name.
    Rename,
    /// Delete it, with all that is in it.
    Delete,
    /// Invite people, and read and withdraw invitations, which hold e-mail addresses.
    Invite,
    /// Change what others are, and remove them.
    ManageMembers,
    /// Remove oneself.
    Leave,
}

impl WorkspaceRole {
    /// The table.
    pub(crate) const fn may(self, action: Action) -> bool {
        use Action::{
            Delete, Invite, Leave, ManageMembers, ManagePolls, ManageProjects, Read, Rename,
        };
        match (self, action) {
            (
                WorkspaceRole::Owner | WorkspaceRole::Collaborator | WorkspaceRole::Viewer,
                Read | Leave,
            )
            | (WorkspaceRole::Owner | WorkspaceRole::Collaborator, ManagePolls | ManageProjects)
            | (WorkspaceRole::Owner, Rename | Delete | Invite | ManageMembers) => true,
            (WorkspaceRole::Viewer, ManagePolls | ManageProjects)
            | (
                WorkspaceRole::Viewer | WorkspaceRole::Collaborator,
                Rename | Delete | Invite | ManageMembers,
            ) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_may_do_what_the_table_says_and_nothing_else() {
        use Action::{
            Delete, Invite, Leave, ManageMembers, ManagePolls, ManageProjects, Read, Rename,
        };
        // action: owner, collaborator, viewer
        let table = [
            (Read, [true, true, true]),
            (ManagePolls, [true, true, false]),
            (ManageProjects, [true, true, false]),
            (Rename, [true, false, false]),
            (Delete, [true, false, false]),
            (Invite, [true, false, false]),
            (ManageMembers, [true, false, false]),
            (Leave, [true, true, true]),
        ];
        for (action, expected) in table {
            for (role, expected) in WorkspaceRole::ALL.into_iter().zip(expected) {
                assert_eq!(role.may(action), expected, "{role:?} {action:?}");
            }
        }
    }
}
