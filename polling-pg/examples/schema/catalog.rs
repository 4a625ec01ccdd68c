//! What a database knows of a schema.

use tokio_postgres::{Client, Error, Row};

/// All that is in a schema, in the order in which it was made.
#[derive(Debug)]
pub(crate) struct Catalog {
    pub(crate) tables: Vec<Table>,
    pub(crate) foreign_keys: Vec<ForeignKey>,
}

/// A table, or a view.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) is_view: bool,
    pub(crate) comment: String,
    pub(crate) columns: Vec<Column>,
    /// Its checks and unique constraints, and then its indexes, but for those that come with a constraint: each name,
    /// and what it says.
    pub(crate) rules: Vec<(String, String)>,
}

/// A column of a table or view.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) type_name: String,
    /// Always false in a view, of which PostgreSQL does not know.
    pub(crate) is_not_null: bool,
    pub(crate) comment: String,
    /// `PK`, `FK` and `UK`, as far as they are true.
    pub(crate) keys: Vec<&'static str>,
}

/// A column that points to the key of another table.
#[derive(Debug)]
pub(crate) struct ForeignKey {
    pub(crate) parent: String,
    pub(crate) child: String,
    pub(crate) column: String,
    /// Whether a parent has one child at most.
    pub(crate) is_unique: bool,
    /// Whether there may be a child without a parent.
    pub(crate) is_nullable: bool,
}

const TABLES: &str = "\
-- catalog.tables
SELECT relname, relkind = 'v', coalesce(obj_description(oid, 'pg_class'), '')
FROM pg_class
WHERE relnamespace = $1::text::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
ORDER BY oid";

const COLUMNS: &str = "\
-- catalog.columns
SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, coalesce(col_description(c.oid, a.attnum), ''),
    ARRAY(
        SELECT k.contype::text FROM pg_constraint k
        WHERE k.conrelid = c.oid AND a.attnum = ANY (k.conkey) AND k.contype IN ('p', 'f', 'u')
        ORDER BY array_position('{p,f,u}', k.contype::text))
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = $1::text::regnamespace AND c.relname = $2
ORDER BY a.attnum";

const CONSTRAINTS: &str = "\
-- catalog.constraints
SELECT k.conname, pg_get_constraintdef(k.oid, true)
FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid
WHERE c.relnamespace = $1::text::regnamespace AND c.relname = $2 AND k.contype IN ('c', 'u', 'x')
ORDER BY k.conname";

const INDEXES: &str = "\
-- catalog.indexes
SELECT i.relname, 'INDEX ' || substring(pg_get_indexdef(i.oid, 0, true) FROM ' USING btree (.*)$')
FROM pg_index x
JOIN pg_class i ON i.oid = x.indexrelid
JOIN pg_class c ON c.oid = x.indrelid
WHERE c.relnamespace = $1::text::regnamespace AND c.relname = $2
    AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.oid AND k.contype IN ('p', 'u', 'x'))
ORDER BY i.oid";

const FOREIGN_KEYS: &str = "\
-- catalog.foreign_keys
SELECT parent.relname, child.relname, a.attname,
    EXISTS (
        SELECT 1 FROM pg_index x WHERE x.indrelid = child.oid AND x.indisunique AND x.indnkeyatts = 1
            AND x.indkey[0] = a.attnum),
    NOT a.attnotnull
FROM pg_constraint k
JOIN pg_class parent ON parent.oid = k.confrelid
JOIN pg_class child ON child.oid = k.conrelid
JOIN pg_attribute a ON a.attrelid = child.oid AND a.attnum = ANY (k.conkey)
WHERE k.connamespace = $1::text::regnamespace AND k.contype = 'f'
ORDER BY k.oid, a.attnum";

/// Reads what is in the schema of this name.
pub(crate) async fn read(client: &Client, schema: &str) -> Result<Catalog, Error> {
    let mut tables = Vec::new();
    for row in client.query(TABLES, &[&schema]).await? {
        let name: String = row.get(0);
        let columns = client.query(COLUMNS, &[&schema, &name]).await?;
        let mut rules = client.query(CONSTRAINTS, &[&schema, &name]).await?;
        rules.extend(client.query(INDEXES, &[&schema, &name]).await?);
        tables.push(Table {
            is_view: row.get(1),
            comment: row.get(2),
            columns: columns.iter().map(column).collect(),
            rules: rules.iter().map(rule).collect(),
            name,
        });
    }
    let foreign_keys = client.query(FOREIGN_KEYS, &[&schema]).await?;
    Ok(Catalog {
        tables,
        foreign_keys: foreign_keys.iter().map(foreign_key).collect(),
    })
}

fn column(row: &Row) -> Column {
    let type_name: String = row.get(1);
    let keys: Vec<String> = row.get(4);
    let key = |letter: &String| match letter.as_str() {
        "p" => "PK",
        "f" => "FK",
        _ => "UK",
    };
    Column {
        name: row.get(0),
        type_name: type_name.replace("timestamp with time zone", "timestamptz"),
        is_not_null: row.get(2),
        comment: row.get(3),
        keys: keys.iter().map(key).collect(),
    }
}

/// Without the types of literals, which are never in doubt.
fn rule(row: &Row) -> (String, String) {
    let rule: String = row.get(1);
    (row.get(0), rule.replace("::text", ""))
}

fn foreign_key(row: &Row) -> ForeignKey {
    ForeignKey {
        parent: row.get(0),
        child: row.get(1),
        column: row.get(2),
        is_unique: row.get(3),
        is_nullable: row.get(4),
    }
}
