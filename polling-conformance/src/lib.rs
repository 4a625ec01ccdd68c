//! The contract of every port of polling-core, as a test suite that any adapter can run.
