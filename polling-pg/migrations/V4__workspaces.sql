-- Workspaces, their members, invitations and projects; and polls that belong to a project.

CREATE TABLE {schema}.workspaces (
    id         uuid        CONSTRAINT workspaces_key PRIMARY KEY,
    name       text        NOT NULL,
    created_at timestamptz NOT NULL
);

CREATE TABLE {schema}.memberships (
    workspace uuid        CONSTRAINT memberships_workspace REFERENCES {schema}.workspaces (id),
    member    uuid,
    role      text        NOT NULL
                          CONSTRAINT memberships_role_known CHECK (role IN ('owner', 'collaborator', 'viewer')),
    joined_at timestamptz NOT NULL,
    CONSTRAINT memberships_key PRIMARY KEY (workspace, member)
);

-- Somebody's workspaces, newest first.
CREATE INDEX memberships_by_member ON {schema}.memberships (member, workspace);
-- Whether an owner is left.
CREATE INDEX memberships_owners ON {schema}.memberships (workspace) WHERE role = 'owner';

CREATE TABLE {schema}.invitations (
    id          uuid        CONSTRAINT invitations_key PRIMARY KEY,
    workspace   uuid        NOT NULL CONSTRAINT invitations_workspace REFERENCES {schema}.workspaces (id),
    email       text        NOT NULL,
    email_key   text        NOT NULL,
    role        text        NOT NULL
                            CONSTRAINT invitations_role_known CHECK (role IN ('owner', 'collaborator', 'viewer')),
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    accepted_by uuid,
    CONSTRAINT invitations_address_unique UNIQUE (workspace, email_key)
);

-- What is listed, each newest first: the invitations to a workspace, and those of an address.
CREATE INDEX invitations_by_workspace ON {schema}.invitations (workspace, id);
CREATE INDEX invitations_by_address ON {schema}.invitations (email_key, id);

CREATE TABLE {schema}.projects (
    id         uuid        CONSTRAINT projects_key PRIMARY KEY,
    workspace  uuid        NOT NULL CONSTRAINT projects_workspace REFERENCES {schema}.workspaces (id),
    name       text        NOT NULL,
    created_at timestamptz NOT NULL
);

-- The projects of a workspace, newest first.
CREATE INDEX projects_by_workspace ON {schema}.projects (workspace, id);

ALTER TABLE {schema}.polls ADD COLUMN project uuid CONSTRAINT polls_project REFERENCES {schema}.projects (id);

-- The polls of a project, newest first.
CREATE INDEX polls_by_project ON {schema}.polls (project, id) WHERE project IS NOT NULL;

COMMENT ON TABLE {schema}.workspaces IS
    'People who keep polls together. Whatever changes who or what is in a workspace locks its row here first.';

COMMENT ON TABLE {schema}.memberships IS
    'Who is in a workspace, and as what. It always has an owner: whatever changes a row here looks first whether one is left.';
COMMENT ON COLUMN {schema}.memberships.workspace IS 'The workspace.';
COMMENT ON COLUMN {schema}.memberships.member IS
    'The user''s id. No foreign key: an application that signs people in by itself has its users elsewhere.';
COMMENT ON COLUMN {schema}.memberships.role IS 'What they are there.';
COMMENT ON COLUMN {schema}.memberships.joined_at IS 'Since when they are in.';

COMMENT ON TABLE {schema}.invitations IS
    'Who was asked to join a workspace: whoever has the account of the address when it is answered.';
COMMENT ON COLUMN {schema}.invitations.workspace IS 'Where to.';
COMMENT ON COLUMN {schema}.invitations.email IS 'The address as it was given.';
COMMENT ON COLUMN {schema}.invitations.email_key IS 'The address in lower case, which is what is compared.';
COMMENT ON COLUMN {schema}.invitations.role IS 'What they would be there.';
COMMENT ON COLUMN {schema}.invitations.expires_at IS 'The first moment that is too late to accept.';
COMMENT ON COLUMN {schema}.invitations.accepted_by IS
    'The user who accepted it, so that accepting again is recognised.';

COMMENT ON TABLE {schema}.projects IS 'Polls that belong together, in a workspace.';
COMMENT ON COLUMN {schema}.projects.workspace IS 'The workspace, for good.';

COMMENT ON COLUMN {schema}.polls.project IS
    'The project that it belongs to, for good; NULL for the polls of users, and for what is left of deleted ones.';
