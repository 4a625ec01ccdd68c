//! The contract of the notifiers, on the one that comes with the core.

use polling_core::results::LocalNotifier;

async fn in_process() -> (LocalNotifier, ()) {
    (LocalNotifier::default(), ())
}

polling_conformance::notifier_suite!(local, crate::in_process);
