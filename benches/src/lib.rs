//! Everything that `cargo bench` runs. Timings are never asserted in tests: they belong here, as ratios measured in one run.
