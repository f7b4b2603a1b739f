//! Numbered migrations: forward only, each run once, each remembered by its text.

use rusqlite::{Connection, OptionalExtension as _};

/// One step of the format. Its number is its place in [`ALL`], from 1. A step that has been released never changes.
struct Migration {
    name: &'static str,
    sql: &'static str,
}

const ALL: [Migration; 11] = [
    Migration { name: "base", sql: include_str!("../../migrations/sqlite/0001_base.sql") },
    Migration { name: "tenant_created_at", sql: include_str!("../../migrations/sqlite/0002_tenant_created_at.sql") },
    Migration { name: "control_plane", sql: include_str!("../../migrations/sqlite/0003_control_plane.sql") },
    Migration { name: "secrets_and_roles", sql: include_str!("../../migrations/sqlite/0004_secrets_and_roles.sql") },
    Migration { name: "lists", sql: include_str!("../../migrations/sqlite/0005_lists.sql") },
    Migration { name: "goal_state", sql: include_str!("../../migrations/sqlite/0006_goal_state.sql") },
    Migration { name: "scheduled_event", sql: include_str!("../../migrations/sqlite/0007_scheduled_event.sql") },
    Migration { name: "disabled", sql: include_str!("../../migrations/sqlite/0008_disabled.sql") },
    Migration { name: "cutover", sql: include_str!("../../migrations/sqlite/0009_cutover.sql") },
    Migration {
        name: "credential_of_an_extension",
        sql: include_str!("../../migrations/sqlite/0010_credential_of_an_extension.sql"),
    },
    Migration { name: "model_of_a_machine", sql: include_str!("../../migrations/sqlite/0011_model_of_a_machine.sql") },
];

/// Where a file stands.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It has run all steps.
    Current,
    /// It has run the first so many.
    Behind(u32),
    /// It has run more than we know.
    Newer(u32),
    /// This step of it is not the one we know.
    Other(u32),
}

/// How many steps we know.
pub(super) fn supported() -> u32 {
    u32::try_from(ALL.len()).unwrap_or(u32::MAX)
}

/// Where a file stands, without changing it.
pub(super) fn standing(connection: &Connection) -> rusqlite::Result<Standing> {
    let version: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if version > supported() {
        return Ok(Standing::Newer(version));
    }
    for (number, migration) in (1..=version).zip(&ALL) {
        let ran: Option<String> = connection
            .query_row("SELECT sql FROM migration WHERE number = ?1", [number], |row| row.get(0))
            .optional()?;
        if ran.as_deref() != Some(migration.sql) {
            return Ok(Standing::Other(number));
        }
    }
    Ok(if version == supported() { Standing::Current } else { Standing::Behind(version) })
}

/// Runs the steps that have not run, all or none. Another process may be first; then there is nothing to do.
pub(super) fn run(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    transaction.execute_batch(
        "CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL, sql TEXT NOT NULL) STRICT",
    )?;
    let done: u32 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    for (number, migration) in (1..).zip(&ALL).skip_while(|(number, _)| *number <= done) {
        transaction.execute_batch(migration.sql)?;
        transaction.execute(
            "INSERT INTO migration (number, name, sql) VALUES (?1, ?2, ?3)",
            (number, migration.name, migration.sql),
        )?;
    }
    transaction.pragma_update(None, "user_version", supported().max(done))?;
    transaction.commit()
}

/// Runs the first so many steps on an empty file, as an earlier version did.
#[cfg(test)]
pub(super) fn begin(connection: &Connection, steps: usize) {
    let migrations =
        "CREATE TABLE migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL, sql TEXT NOT NULL) STRICT";
    connection.execute_batch(migrations).unwrap();
    for (number, step) in (1..).zip(ALL.iter().take(steps)) {
        connection.execute_batch(step.sql).unwrap();
        let values = (number, step.name, step.sql);
        connection.execute("INSERT INTO migration VALUES (?1, ?2, ?3)", values).unwrap();
        connection.pragma_update(None, "user_version", number).unwrap();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file that has run the first so many steps.
    fn of_before(steps: usize) -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        begin(&connection, steps);
        connection
    }

    #[test]
    fn a_tenant_of_before_is_as_old_as_the_first_act() {
        let mut connection = of_before(1);
        connection
            .execute_batch(
                "INSERT INTO tenant VALUES ('t', 'dev');
                 INSERT INTO audit (at, actor, action, target) VALUES (1700000000, 'a', 'b', 'c'), (1800000000, 'a', 'b', 'c')",
            )
            .unwrap();
        run(&mut connection).unwrap();
        let at: i64 = connection.query_row("SELECT created_at FROM tenant", [], |row| row.get(0)).unwrap();
        assert_eq!(at, 1_700_000_000);
    }

    #[test]
    fn secrets_of_before_are_taken_out_of_documents() {
        let mut connection = of_before(3);
        let documents = [
            ("/a", r#"{"properties":{"x":[{"secureValue":"S","n":1}],"Password":"S","c":{"accountKey1":{"k":"S"}}}}"#),
            ("/b", r#"{"properties":{"disablePasswordAuthentication":true,"z":1,"a":2}}"#),
            ("/v/secrets/s", r#"{"properties":{"value":"S"}}"#),
        ];
        for (key, document) in documents {
            let sql = "INSERT INTO resource VALUES (?1, ?1, NULL, '{}', ?2, 0, 0)";
            connection.execute(sql, (key, document)).unwrap();
        }
        run(&mut connection).unwrap();
        let mut found = connection.prepare("SELECT document FROM resource ORDER BY key").unwrap();
        let found = found.query_map([], |row| row.get(0)).unwrap().collect::<rusqlite::Result<Vec<String>>>().unwrap();
        let left = [r#"{"properties":{"x":[{"n":1}],"c":{}}}"#, documents[1].1, r#"{"properties":{}}"#];
        assert_eq!(found, left);
    }

    #[test]
    fn roles_of_before_are_as_old_as_the_audit_says() {
        let mut connection = of_before(3);
        connection
            .execute_batch(
                "INSERT INTO tenant VALUES ('t', 'dev', 0);
                 INSERT INTO service_principal VALUES ('p', 'c', 't', 'application', NULL, NULL);
                 INSERT INTO role_assignment VALUES ('a', 'p', 'Owner', '/', '/'), ('b', 'p', 'Reader', '/', '/');
                 INSERT INTO audit VALUES (1, 1700000000, 'system', 'x', 'x'), (2, 1800000000, 'p', 'x', 'x');
                 INSERT INTO change_feed VALUES (1, 2, 1800000000, 'role_assignment', 'b', 'put')",
            )
            .unwrap();
        run(&mut connection).unwrap();
        let mut found = connection.prepare("SELECT created_at, created_by FROM role_assignment ORDER BY id").unwrap();
        let found = found.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        let found = found.collect::<rusqlite::Result<Vec<(i64, Option<String>)>>>().unwrap();
        assert_eq!(found, [(1_700_000_000, None), (1_800_000_000, Some("p".to_owned()))]);
    }

    #[test]
    fn machines_of_before_have_their_scale_sets_document() {
        for steps in [3, 9, 10] {
            let mut connection = of_before(steps);
            connection
                .execute_batch(
                    r#"INSERT INTO tenant (id, name) VALUES ('t', 'dev');
                       INSERT INTO subscription (id, name, tenant) VALUES ('s', 'dev', 't');
                       INSERT INTO resource_group (pk, key, id, name, location, subscription)
                         VALUES (1, '/g', '/g', 'g', '', 's');
                       INSERT INTO scale_set (pk, key, id, unique_id, tenant, name, location, tags, sku_name, sku_tier,
                         capacity, upgrade_mode, document, model, next_instance, created_at, resource_group)
                         SELECT column1, column2, column2, column2, 't', '', '', '{}', '', '', 1, 'Manual', column3, 2, 1, 0, 1
                         FROM (VALUES (1, '/a', '{"userData":"YQ=="}'), (2, '/b', '{"userData":"Yg=="}'));
                       INSERT INTO virtual_machine (key, id, vm_id, tenant, name, location, size, tags, resource_group,
                         document, scale_set, instance, model)
                         SELECT column1, column1, column1, 't', '', '', '', '{}', 1, column2, column3, column4, column5
                         FROM (VALUES ('/a/0', '{}', 1, 0, 1), ('/a/1', '{"userData":"b2xk"}', 1, 1, 1),
                           ('/b/0', '{}', 2, 0, 2), ('/vm', '{}', NULL, NULL, NULL));"#,
                )
                .unwrap();
            run(&mut connection).unwrap();
            let mut found =
                connection.prepare("SELECT key, document, model FROM virtual_machine ORDER BY key").unwrap();
            let found = found.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
            let found = found.collect::<rusqlite::Result<Vec<(String, String, Option<i64>)>>>().unwrap();
            let expected = [
                ("/a/0", r#"{"userData":"YQ=="}"#, Some(1)),
                ("/a/1", r#"{"userData":"b2xk"}"#, Some(1)),
                ("/b/0", r#"{"userData":"Yg=="}"#, Some(2)),
                ("/vm", "{}", None),
            ];
            assert_eq!(found, expected.map(|(key, document, model)| (key.to_owned(), document.to_owned(), model)));
        }
    }

    #[test]
    fn runs_once_and_is_remembered_by_its_text() {
        let mut connection = Connection::open_in_memory().unwrap();
        assert_eq!(standing(&connection).unwrap(), Standing::Behind(0));
        run(&mut connection).unwrap();
        assert_eq!(standing(&connection).unwrap(), Standing::Current);
        run(&mut connection).unwrap();
        assert_eq!(standing(&connection).unwrap(), Standing::Current);

        connection.execute("UPDATE migration SET sql = sql || ' ' WHERE number = 1", []).unwrap();
        assert_eq!(standing(&connection).unwrap(), Standing::Other(1));
        connection.pragma_update(None, "user_version", supported() + 1).unwrap();
        assert_eq!(standing(&connection).unwrap(), Standing::Newer(supported() + 1));
    }
}
