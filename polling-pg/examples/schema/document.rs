//! A schema on paper: a diagram, and a table for each table.

use std::fmt::{self, Write};

use super::catalog::{Catalog, Column, ForeignKey, Table};

/// A relation that the database does not know as a foreign key.
struct Relation {
    parent: &'static str,
    /// As Mermaid writes it; dotted, because nothing enforces it.
    cardinality: &'static str,
    child: &'static str,
    label: &'static str,
    reason: &'static str,
}

const NO_KEY_ON_BALLOTS: &str = "A foreign key from every ballot costs a quarter to a half of the throughput. The gate \
    proves that the poll and its options are there, deleting goes through one place, and orphans are counted.";

const RELATIONS: &[Relation] = &[
    Relation {
        parent: "users",
        cardinality: "|o..o{",
        child: "polls",
        label: "creator",
        reason: "An application that signs people in by itself has its users elsewhere; and a poll outlives who made it.",
    },
    Relation {
        parent: "polls",
        cardinality: "||..o{",
        child: "votes",
        label: "poll",
        reason: NO_KEY_ON_BALLOTS,
    },
    Relation {
        parent: "users",
        cardinality: "|o..o{",
        child: "votes",
        label: "voter, where voters are registered",
        reason: "Only in polls of registered voters is a voter a user of this database; in all others it is a hash.",
    },
    Relation {
        parent: "votes",
        cardinality: "||..o{",
        child: "superseded_ballots",
        label: "poll, voter",
        reason: "As with the ballots themselves.",
    },
    Relation {
        parent: "polls",
        cardinality: "||..o{",
        child: "vote_tokens",
        label: "poll",
        reason: "A hundred thousand come at once. The poll is locked while they are kept, and takes them along when it goes.",
    },
    Relation {
        parent: "poll_options",
        cardinality: "}|..o{",
        child: "votes",
        label: "content, a byte for each option",
        reason: "The many-to-many relation: a ballot selects one option or several, and an option is selected by many.",
    },
    Relation {
        parent: "votes",
        cardinality: "||..o{",
        child: "vote_selections",
        label: "ballot_id",
        reason: "It is a view: a ballot that counts has a row in it for each option that it selects.",
    },
    Relation {
        parent: "poll_options",
        cardinality: "||..o{",
        child: "vote_selections",
        label: "option_id",
        reason: "It is a view: the option whose position the byte is.",
    },
    Relation {
        parent: "users",
        cardinality: "|o..o{",
        child: "vote_selections",
        label: "user_id",
        reason: "It is a view: the voter, where that is a user of this database.",
    },
];

const INTRODUCTION: &str = "\
# The schema of the PostgreSQL store

<!-- Made from a database: `cargo run -p polling-pg --example schema` writes it anew. -->

Everything lives in one schema, `polling` by default, and nothing outside it. The comments below are kept by the database
itself: `\\d+ polling.*` shows them in psql.

**One to many.** A user creates any number of polls; a poll offers its options (`poll_options`) and takes any number of
ballots (`votes`); a user casts any number of ballots, and at most one in each poll, which the primary key
`(poll, voter)` of `votes` sees to.

**Many to many.** A user chooses many options, and an option is chosen by many users. That relation is the content of the
ballots: `votes.content` holds a byte for each chosen option, its position in the poll, so that a ballot of many choices
is one row, which is written whole or not at all. The view `vote_selections` shows the relation as the usual join table,
one row for each voter and option:

```sql
SELECT option_text, count(*) FROM polling.vote_selections WHERE poll_id = '…' GROUP BY option_text;
```

`poll_tallies` holds the counters of each poll in one row, the gate, through which every ballot and every step of a poll
passes in the order of the commits: they always equal what the view counts.

";

const LEGEND: &str = "\
Solid lines are foreign keys, which the database enforces; dotted ones are relations without one, each for a reason that
is told below. PK, FK and UK are primary, foreign and unique keys.

";

/// The whole document.
///
/// # Errors
/// Where a relation is told of that is not in the schema.
pub(crate) fn of(catalog: &Catalog) -> Result<String, Box<dyn std::error::Error>> {
    let exists = |name: &str| catalog.tables.iter().any(|table| table.name == name);
    for relation in RELATIONS {
        for name in [relation.parent, relation.child] {
            if !exists(name) {
                return Err(format!("{name} has a relation, and is not in the schema").into());
            }
        }
    }
    let mut text = INTRODUCTION.to_owned();
    diagram(&mut text, catalog)?;
    text.push_str(LEGEND);
    reasons(&mut text)?;
    for table in in_order(catalog) {
        section(&mut text, table)?;
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    Ok(text)
}

/// What is related to something comes first.
fn in_order(catalog: &Catalog) -> Vec<&Table> {
    let mut tables: Vec<&Table> = catalog.tables.iter().collect();
    tables.sort_by_key(|table| {
        let has = |ends: [&str; 2]| ends.contains(&table.name.as_str());
        let keys = &catalog.foreign_keys;
        let is_related = RELATIONS.iter().any(|of| has([of.parent, of.child]))
            || keys.iter().any(|key| has([&key.parent, &key.child]));
        !is_related
    });
    tables
}

fn diagram(text: &mut String, catalog: &Catalog) -> fmt::Result {
    writeln!(text, "## The diagram\n\n```mermaid\nerDiagram")?;
    for key in &catalog.foreign_keys {
        foreign_key(text, key)?;
    }
    for relation in RELATIONS {
        let Relation {
            parent,
            cardinality,
            child,
            label,
            ..
        } = relation;
        writeln!(text, "    {parent} {cardinality} {child} : \"{label}\"")?;
    }
    for table in in_order(catalog) {
        writeln!(text, "    {} {{", table.name)?;
        for column in &table.columns {
            let line = format!(
                "{} {} {}",
                column.type_name,
                column.name,
                column.keys.join(", ")
            );
            writeln!(text, "        {}", line.trim_end())?;
        }
        writeln!(text, "    }}")?;
    }
    writeln!(text, "```\n")
}

fn foreign_key(text: &mut String, key: &ForeignKey) -> fmt::Result {
    let parents = if key.is_nullable { "|o" } else { "||" };
    let children = if key.is_unique { "o|" } else { "o{" };
    let ForeignKey {
        parent,
        child,
        column,
        ..
    } = key;
    writeln!(
        text,
        "    {parent} {parents}--{children} {child} : \"{column}\""
    )
}

fn reasons(text: &mut String) -> fmt::Result {
    writeln!(
        text,
        "### Relations without a foreign key\n\n| from | to | by | why there is none |\n| --- | --- | --- | --- |"
    )?;
    for relation in RELATIONS {
        let Relation {
            parent,
            child,
            label,
            reason,
            ..
        } = relation;
        writeln!(text, "| `{child}` | `{parent}` | {label} | {reason} |")?;
    }
    writeln!(text)
}

fn section(text: &mut String, table: &Table) -> fmt::Result {
    let kind = if table.is_view { ", a view" } else { "" };
    writeln!(text, "## {}{kind}\n\n{}\n", table.name, table.comment)?;
    writeln!(text, "| column | type | key | |\n| --- | --- | --- | --- |")?;
    for column in &table.columns {
        let Column { name, comment, .. } = column;
        let null = if column.is_not_null || table.is_view {
            ""
        } else {
            ", or NULL"
        };
        let keys = column.keys.join(", ");
        let comment = comment.replace('|', "\\|");
        writeln!(
            text,
            "| `{name}` | {}{null} | {keys} | {comment} |",
            column.type_name
        )?;
    }
    writeln!(text)?;
    for (name, rule) in &table.rules {
        writeln!(text, "- `{name}`: `{rule}`")?;
    }
    if !table.rules.is_empty() {
        writeln!(text)?;
    }
    Ok(())
}
