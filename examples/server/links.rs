//! How the bundled server delivers one-time links and invitations: it writes them into its log.
//!
//! It has no mail, and whoever reads its log runs it. An application sends them by mail instead: this is the one place in
//! the whole system where a secret is logged, and an address.

use async_trait::async_trait;
use polling_core::Cause;
use polling_core::users::{Email, LinkPurpose, LinkSender, OneTimeLink};
use polling_core::workspaces::InvitationView;
use tracing::info;

pub(crate) struct IntoTheLog;

#[async_trait]
impl LinkSender for IntoTheLog {
    async fn deliver(&self, to: &Email, link: OneTimeLink) -> Result<(), Cause> {
        let purpose = match link.purpose {
            LinkPurpose::FirstPassword => "first password",
            _ => "password reset",
        };
        let (to, token, until) = (to.as_str(), &link.token, link.expires_at);
        info!(
            to,
            token,
            %until,
            "one-time link ({purpose}): POST /api/v1/auth/password-reset/confirm {{\"token\":\"…\",\"new_password\":\"…\"}}"
        );
        Ok(())
    }

    async fn invite(&self, to: &Email, invitation: &InvitationView) -> Result<(), Cause> {
        let (to, id, until) = (to.as_str(), invitation.id, invitation.expires_at);
        let workspace = &*invitation.workspace_name;
        info!(
            to,
            %id,
            workspace,
            %until,
            "invitation: POST /api/v1/invitations/…/accept"
        );
        Ok(())
    }
}
