//! Accounts, signing in, and the import of many.

use serde_json::json;

use super::case::{Case, NOTHING};
use super::world::World;

const FORBIDDEN: &str = "forbidden";

pub(super) fn cases(world: &World) -> Vec<Case<'_>> {
    own(world)
        .into_iter()
        .chain(others(world))
        .chain(imports(world))
        .collect()
}

fn own(world: &World) -> Vec<Case<'_>> {
    let olga = &world.team.olga;
    let edit = |password: &str| {
        let patch = world.at("PATCH /api/v1/users/me", &[]).by(olga);
        patch.json(&json!({"email": "eve@example.org", "current_password": password}))
    };
    let new = json!({"name": "Eve", "email": "EVE@example.org", "password": "correct horse"});
    let another = json!({"current_password": "wrong horse", "new_password": "battery staple"});
    vec![
        world
            .at("POST /api/v1/users", &[])
            .json(&new)
            .is(409, "email_taken"),
        edit("wrong horse").is(403, FORBIDDEN),
        edit("correct horse").is(409, "email_taken"),
        world
            .at("DELETE /api/v1/users/me", &[])
            .by(olga)
            .is(409, "last_owner"),
        world
            .at("POST /api/v1/auth/password", &[])
            .by(olga)
            .json(&another)
            .is(403, FORBIDDEN),
    ]
}

fn others(world: &World) -> Vec<Case<'_>> {
    let (olga, gone) = (&world.team.olga.id, &*world.gone);
    let read = |id: &str| world.at("GET /api/v1/users/{id}", &[id]);
    let delete = |id: &str| world.at("DELETE /api/v1/users/{id}", &[id]);
    vec![
        read(gone).hides(gone, "user_not_found"),
        delete(olga).by(&world.team.eve).is(403, FORBIDDEN),
        // Who may not delete does not learn who is there.
        delete(NOTHING).by(&world.team.eve).is(403, FORBIDDEN),
        delete(gone).by(&world.root).hides(gone, "user_not_found"),
        delete(olga).by(&world.root).is(409, "last_owner"),
    ]
}

fn imports(world: &World) -> Vec<Case<'_>> {
    let begin = || world.at("POST /api/v1/users/import", &[]);
    let read = || world.at("GET /api/v1/users/import/{id}", &[NOTHING]);
    let eve = &world.team.eve;
    vec![
        begin()
            .body("text/csv", "name,email\n")
            .by(eve)
            .is(403, FORBIDDEN),
        // Whoever may not import learns nothing of how one looks.
        begin().body("text/plain", "x").by(eve).is(403, FORBIDDEN),
        begin().body("text/plain", "x").is(401, "unauthorized"),
        read().by(eve).is(403, FORBIDDEN),
        read().by(&world.root).is(404, "import_not_found"),
    ]
}
