-- Workspaces, their members, invitations and projects; and polls that belong to a project.

CREATE TABLE workspaces (
    -- People who keep polls together.
    id         BLOB    NOT NULL CONSTRAINT workspaces_id_is_uuid CHECK (length(id) = 16),
    name       TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    CONSTRAINT workspaces_key PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;

CREATE TABLE memberships (
    -- Who is in a workspace, and as what. It always has an owner: whatever changes a row here looks first whether one is
    -- left.
    workspace BLOB    NOT NULL CONSTRAINT memberships_workspace REFERENCES workspaces (id),
    -- The user's id. No foreign key: an application that signs people in by itself has its users elsewhere.
    member    BLOB    NOT NULL CONSTRAINT memberships_member_is_uuid CHECK (length(member) = 16),
    role      TEXT    NOT NULL CONSTRAINT memberships_role_known CHECK (role IN ('owner', 'collaborator', 'viewer')),
    joined_at INTEGER NOT NULL,
    CONSTRAINT memberships_key PRIMARY KEY (workspace, member)
) STRICT, WITHOUT ROWID;

-- Somebody's workspaces, newest first.
CREATE INDEX memberships_by_member ON memberships (member, workspace);
-- Whether an owner is left.
CREATE INDEX memberships_owners ON memberships (workspace) WHERE role = 'owner';

CREATE TABLE invitations (
    -- Who was asked to join a workspace: whoever has the account of the address when it is answered.
    id          BLOB    NOT NULL CONSTRAINT invitations_id_is_uuid CHECK (length(id) = 16),
    workspace   BLOB    NOT NULL CONSTRAINT invitations_workspace REFERENCES workspaces (id),
    -- The address as it was given, and in lower case, which is what is compared.
    email       TEXT    NOT NULL,
    email_key   TEXT    NOT NULL,
    role        TEXT    NOT NULL CONSTRAINT invitations_role_known CHECK (role IN ('owner', 'collaborator', 'viewer')),
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    -- The user who accepted it, so that accepting again is recognised.
    accepted_by BLOB    CONSTRAINT invitations_accepted_by_is_uuid CHECK (length(accepted_by) = 16),
    CONSTRAINT invitations_key PRIMARY KEY (id),
    CONSTRAINT invitations_address_unique UNIQUE (workspace, email_key)
) STRICT, WITHOUT ROWID;

-- What is listed, each newest first: the invitations to a workspace, and those of an address.
CREATE INDEX invitations_by_workspace ON invitations (workspace, id);
CREATE INDEX invitations_by_address ON invitations (email_key, id);

CREATE TABLE projects (
    -- Polls that belong together, in a workspace.
    id         BLOB    NOT NULL CONSTRAINT projects_id_is_uuid CHECK (length(id) = 16),
    workspace  BLOB    NOT NULL CONSTRAINT projects_workspace REFERENCES workspaces (id),
    name       TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    CONSTRAINT projects_key PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;

-- The projects of a workspace, newest first.
CREATE INDEX projects_by_workspace ON projects (workspace, id);

-- The project that a poll belongs to, for good; NULL for the polls of users, and for what is left of deleted ones.
ALTER TABLE polls ADD COLUMN project BLOB CONSTRAINT polls_project REFERENCES projects (id);

-- The polls of a project, newest first.
CREATE INDEX polls_by_project ON polls (project, id) WHERE project IS NOT NULL;
