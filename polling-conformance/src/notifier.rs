//! The port of the notifiers.
