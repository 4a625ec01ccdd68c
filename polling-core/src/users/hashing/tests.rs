use std::sync::Barrier;
use std::sync::atomic::Ordering;

use argon2::PasswordHasher;

use super::*;

const WIDE: HashBounds = HashBounds {
    kib: 64 * 1024,
    passes: 10,
};
const SALT: &[u8; 16] = b"salt of 16 bytes";

/// As the library itself hashes the password "correct horse".
fn by_the_library(algorithm: Algorithm, version: Version, params: Params) -> PasswordHash {
    let argon2 = Argon2::new(algorithm, version, params);
    let phc = argon2.hash_password_with_salt(b"correct horse", SALT);
    PasswordHash::from_store(phc.unwrap().to_string())
}

fn params(kib: u32, passes: u32, lanes: u32) -> Params {
    Params::new(kib, passes, lanes, None).unwrap()
}

#[test]
fn a_hash_is_the_one_that_the_library_makes() {
    let ours = Hasher::new(WIDE).hash(b"correct horse", SALT).unwrap();
    let today = by_the_library(Algorithm::Argon2id, Version::V0x13, Params::DEFAULT);
    assert_eq!(ours.as_str(), today.as_str());
}

#[test]
fn the_same_memory_is_used_for_one_password_after_the_other() {
    let hasher = Hasher::new(WIDE);
    let today = hasher.hash(b"correct horse", SALT).unwrap();
    let smaller = by_the_library(Algorithm::Argon2d, Version::V0x10, params(64, 3, 2));
    for stored in [&today, &smaller, &today] {
        assert!(hasher.verify(b"correct horse", stored).unwrap());
        assert!(!hasher.verify(b"battery staple", stored).unwrap());
    }
    assert_eq!(hasher.hash(b"correct horse", SALT).unwrap(), today);
    assert_eq!(hasher.allocations.load(Ordering::SeqCst), 1);
}

#[test]
fn there_are_as_many_memories_as_passwords_were_hashed_at_once() {
    let hasher = Hasher::new(WIDE);
    for _ in 0..3 {
        let together = Barrier::new(2);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let blocks = hasher.take(BLOCKS);
                    together.wait();
                    hasher.keep(blocks);
                });
            }
        });
    }
    assert_eq!(hasher.allocations.load(Ordering::SeqCst), 2);
    assert_eq!(hasher.idle().len(), 2);
}

#[test]
fn a_hash_that_needs_more_than_today_is_checked_and_leaves_nothing() {
    let hasher = Hasher::new(WIDE);
    let larger = params(Params::DEFAULT_M_COST + 1_024, 1, 4);
    let larger = by_the_library(Algorithm::Argon2id, Version::V0x13, larger);
    assert!(hasher.verify(b"correct horse", &larger).unwrap());
    assert!(!hasher.verify(b"battery staple", &larger).unwrap());
    assert_eq!(hasher.idle().len(), 0);
}

/// A gibibyte, or a billion passes, would hold up the server for everybody.
#[test]
fn a_hash_that_needs_more_than_the_bounds_is_refused_before_any_work() {
    let hasher = Hasher::new(HashBounds {
        kib: 20_000,
        passes: 3,
    });
    let rest = "$c2FsdCBvZiAxNiBieXRlcw$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let check = |parameters: &str| {
        let stored = PasswordHash::from_store(format!("$argon2id$v=19${parameters}{rest}"));
        hasher.verify(b"correct horse", &stored)
    };
    for (parameters, kib, passes) in [
        ("m=1048576,t=2,p=1", 1_048_576, 2),
        ("m=20004,t=2,p=1", 20_004, 2),
        ("m=19456,t=4294967295,p=1", 19_456, u32::MAX),
        ("m=4294967295,t=4294967295,p=1", 4_294_967_292, u32::MAX),
    ] {
        let refused = HashError::TooCostly {
            kib,
            passes,
            most_kib: 20_000,
            most_passes: 3,
        };
        assert_eq!(check(parameters), Err(refused), "{parameters}");
    }
    assert_eq!(hasher.allocations.load(Ordering::SeqCst), 0);
    assert_eq!(check("m=20000,t=3,p=1"), Ok(false));
}

#[test]
fn what_is_no_hash_of_a_password_fits_none() {
    let hasher = Hasher::new(WIDE);
    let check = |stored: &str| {
        let stored = PasswordHash::from_store(stored.into());
        hasher.verify(b"correct horse", &stored)
    };
    assert_eq!(check("no hash"), Err(HashError::Unreadable));
    for stored in [
        "$argon2id$v=19$m=19456,t=2,p=1",
        "$argon2id$v=19$m=8,t=0,p=1$c2FsdCBvZiAxNiBieXRlcw$AAAAAAAAAAAAAAAAAAAAAA",
        "$scrypt$c2FsdCBvZiAxNiBieXRlcw$AAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=18$m=8,t=1,p=1$c2FsdCBvZiAxNiBieXRlcw$AAAAAAAAAAAAAAAAAAAAAA",
    ] {
        assert_eq!(check(stored), Ok(false), "{stored}");
    }
}

#[test]
fn a_hash_with_weaker_parameters_is_told_from_one_of_today() {
    let today = Hasher::new(WIDE).hash(b"correct horse", SALT).unwrap();
    assert!(!is_weaker(&today));
    let with = |algorithm, version, memory, passes| {
        is_weaker(&by_the_library(
            algorithm,
            version,
            params(memory, passes, 1),
        ))
    };
    let (memory, passes) = (Params::DEFAULT_M_COST, Params::DEFAULT_T_COST);
    let (id, v13) = (Algorithm::Argon2id, Version::V0x13);
    assert!(with(id, v13, memory - 8, passes));
    assert!(with(id, v13, memory, passes - 1));
    assert!(with(id, Version::V0x10, memory, passes));
    assert!(with(Algorithm::Argon2i, v13, memory, passes));
    assert!(!with(id, v13, memory + 8, passes + 1));
    assert!(!is_weaker(&PasswordHash::from_store("no hash".into())));
}
