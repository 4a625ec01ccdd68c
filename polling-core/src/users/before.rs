//! Who may do something with accounts, as far as no input is needed to tell: what can be refused before a request is read
//! whole. Nothing here counts for a limit.

use super::error::UserError;
use super::service::Users;
use crate::limits::Rule;
use crate::{Actor, FeatureOff};

impl Users {
    /// Whether somebody may sign up.
    ///
    /// # Errors
    /// `FeatureOff`; `RateLimited`; `Store`.
    pub async fn may_sign_up(&self, actor: &Actor) -> Result<(), UserError> {
        let parts = &self.inner.parts;
        if !parts.settings.features.sign_up && !matches!(actor, Actor::System) {
            return Err(FeatureOff("sign_up").into());
        }
        Ok(parts.limits.look(Rule::SignUp, actor).await?)
    }

    /// Whether somebody has an account of their own to change.
    ///
    /// # Errors
    /// `Unauthorized`; `Store`.
    pub async fn may_edit_own(&self, actor: &Actor) -> Result<(), UserError> {
        self.inner.own(actor).await.map(drop)
    }

    /// Whether somebody may try a password, or set one through a one-time link.
    ///
    /// # Errors
    /// `RateLimited`; `Store`.
    pub async fn may_try(&self, actor: &Actor) -> Result<(), UserError> {
        let limits = &self.inner.parts.limits;
        Ok(limits.look(Rule::LoginAddress, actor).await?)
    }

    /// Whether somebody may change the password of an account of their own.
    ///
    /// # Errors
    /// `Unauthorized`; `RateLimited`; `Store`.
    pub async fn may_change_password(&self, actor: &Actor) -> Result<(), UserError> {
        self.may_edit_own(actor).await?;
        self.may_try(actor).await
    }

    /// Whether somebody may spend a refresh token.
    ///
    /// # Errors
    /// `RateLimited`; `Store`.
    pub async fn may_refresh(&self, actor: &Actor) -> Result<(), UserError> {
        let limits = &self.inner.parts.limits;
        Ok(limits.look(Rule::Refresh, actor).await?)
    }

    /// Whether somebody may ask for a link for another password.
    ///
    /// # Errors
    /// `RateLimited`; `Store`.
    pub async fn may_reset_password(&self, actor: &Actor) -> Result<(), UserError> {
        let limits = &self.inner.parts.limits;
        Ok(limits.look(Rule::PasswordResetAddress, actor).await?)
    }
}
