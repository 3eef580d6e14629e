-- Facts kept from events, ledgers of intervals made of them, reports and surveys. What the tables mean stands in the models.

create table follower (
    name text not null,
    xid xid8 default '0' not null,
    id bigint default 0 not null,
    at timestamp with time zone,
    constraint pk_follower primary key (name)
);
insert into follower (name) values ('figures');

create table promise (
    queue_id bigint not null,
    since timestamp with time zone not null,
    answer_seconds integer not null,
    hours_id bigint,
    short_seconds integer not null,
    share smallint not null,
    formula text not null,
    constraint pk_promise primary key (queue_id, since)
);

create table open_span (
    hours_id bigint not null,
    opens_at timestamp with time zone not null,
    closes_at timestamp with time zone not null,
    constraint pk_open_span primary key (hours_id, opens_at)
);

create table stay (
    entry_id bigint not null,
    queue_id bigint,
    case_id bigint,
    interaction_id bigint,
    agent_id bigint,
    team_id bigint default 0 not null,
    channel text default '' not null,
    media_class text default '' not null,
    language text default '' not null,
    moved boolean default false not null,
    entered_at timestamp with time zone,
    waiting_since timestamp with time zone,
    due_at timestamp with time zone,
    short_seconds integer default 0 not null,
    expected_seconds integer,
    expected_low integer,
    expected_high integer,
    ended_at timestamp with time zone,
    ended_as text default '' not null,
    outcome text default '' not null,
    constraint pk_stay primary key (entry_id)
);
create index ix_stay_entered_at on stay (entered_at);
create index ix_stay_ended_at on stay (ended_at);
create index ix_stay_case_id on stay (case_id);
create index ix_stay_waits on stay (queue_id, due_at) where ended_at is null;

create table work (
    assignment_id bigint not null,
    entry_id bigint,
    queue_id bigint,
    case_id bigint,
    interaction_id bigint,
    customer_id bigint,
    agent_id bigint,
    team_id bigint default 0 not null,
    channel text default '' not null,
    media_class text default '' not null,
    language text default '' not null,
    weight integer default 100 not null,
    accepted_at timestamp with time zone,
    work_ended_at timestamp with time zone,
    ended_at timestamp with time zone,
    outcome text default '' not null,
    wrap_up_code_id bigint,
    talk_ms bigint default 0 not null,
    hold_ms bigint default 0 not null,
    wrap_up_ms bigint default 0 not null,
    charged_ms bigint default 0 not null,
    constraint pk_work primary key (assignment_id)
) with (fillfactor = 55);  -- what it is charged is put into it once, beside its indexes
create index ix_work_ended_at on work (ended_at);
create index ix_work_accepted_at on work (accepted_at);
create index ix_work_agent_ended on work (agent_id, ended_at);
create index ix_work_case_id on work (case_id);

create table hold_mark (
    assignment_id bigint not null,
    at timestamp with time zone not null,
    held boolean not null,
    constraint pk_hold_mark primary key (assignment_id, at, held)
);

create table offer_mark (
    event_id bigint not null,
    at timestamp with time zone not null,
    kind text not null,
    case_id bigint,
    queue_id bigint not null,
    agent_id bigint,
    channel text default '' not null,
    language text default '' not null,
    constraint pk_offer_mark primary key (event_id)
);
create index ix_offer_mark_at on offer_mark (at);

create table state_span (
    agent_id bigint not null,
    began_at timestamp with time zone not null,
    state text not null,
    reason text default '' not null,
    ended_at timestamp with time zone,
    constraint pk_state_span primary key (agent_id, began_at)
);
create index ix_state_span_ended on state_span (agent_id, ended_at);

create table case_mark (
    event_id bigint not null,
    case_id bigint not null,
    at timestamp with time zone not null,
    kind text not null,
    queue_id bigint,
    customer_id bigint,
    constraint pk_case_mark primary key (case_id, event_id)
);

create table case_span (
    case_id bigint not null,
    event_id bigint not null,
    queue_id bigint not null,
    channel text default '' not null,
    language text default '' not null,
    kind text not null,
    began_at timestamp with time zone not null,
    opened_at timestamp with time zone not null,
    ended_at timestamp with time zone,
    end_kind text default '' not null,
    constraint pk_case_span primary key (case_id, event_id)
);
create index ix_case_span_began_at on case_span (began_at);
create index ix_case_span_ended_at on case_span (ended_at);
create index ix_case_span_open on case_span (queue_id, opened_at) where ended_at is null;

create table matter (
    case_id bigint not null,
    customer_id bigint,
    queue_id bigint not null,
    channel text default '' not null,
    language text default '' not null,
    opened_at timestamp with time zone not null,
    resolved_at timestamp with time zone,
    reopened_at timestamp with time zone,
    next_at timestamp with time zone,
    works integer default 0 not null,
    transfers integer default 0 not null,
    constraint pk_matter primary key (case_id)
) with (fillfactor = 85);  -- and so is when its customer came again
create index ix_matter_customer on matter (customer_id, queue_id, opened_at);
create index ix_matter_resolved_at on matter (resolved_at);

create table cohort_ledger (
    begins_at timestamp with time zone not null,
    queue_id bigint not null,
    channel text not null,
    language text not null,
    team_id bigint not null,
    entered integer default 0 not null,
    moved integer default 0 not null,
    withdrawn integer default 0 not null,
    answered integer default 0 not null,
    in_time integer default 0 not null,
    abandoned integer default 0 not null,
    abandoned_in_time integer default 0 not null,
    short integer default 0 not null,
    flowed_out integer default 0 not null,
    called_back integer default 0 not null,
    called_back_in_time integer default 0 not null,
    goal_events integer default 0 not null,
    goal_abandoned integer default 0 not null,
    answer_ms bigint default 0 not null,
    abandon_ms bigint default 0 not null,
    constraint pk_cohort_ledger primary key (begins_at, queue_id, channel, language, team_id)
) with (fillfactor = 85);

create table event_ledger (
    begins_at timestamp with time zone not null,
    queue_id bigint not null,
    channel text not null,
    language text not null,
    team_id bigint not null,
    entered integer default 0 not null,
    moved integer default 0 not null,
    withdrawn integer default 0 not null,
    answered integer default 0 not null,
    in_time integer default 0 not null,
    abandoned integer default 0 not null,
    abandoned_in_time integer default 0 not null,
    short integer default 0 not null,
    flowed_out integer default 0 not null,
    called_back integer default 0 not null,
    called_back_in_time integer default 0 not null,
    goal_events integer default 0 not null,
    goal_abandoned integer default 0 not null,
    answer_ms bigint default 0 not null,
    abandon_ms bigint default 0 not null,
    handled integer default 0 not null,
    talk_ms bigint default 0 not null,
    hold_ms bigint default 0 not null,
    wrap_up_ms bigint default 0 not null,
    charged_ms bigint default 0 not null,
    handle_ms bigint default 0 not null,
    transferred integer default 0 not null,
    opened integer default 0 not null,
    reopened integer default 0 not null,
    came integer default 0 not null,
    resolved integer default 0 not null,
    went integer default 0 not null,
    offers integer default 0 not null,
    offers_missed integer default 0 not null,
    offers_declined integer default 0 not null,
    constraint pk_event_ledger primary key (begins_at, queue_id, channel, language, team_id)
) with (fillfactor = 85);

-- The same over all channels, languages and teams: what is read most.
create table cohort_total (
    begins_at timestamp with time zone not null,
    queue_id bigint not null,
    entered integer default 0 not null,
    moved integer default 0 not null,
    withdrawn integer default 0 not null,
    answered integer default 0 not null,
    in_time integer default 0 not null,
    abandoned integer default 0 not null,
    abandoned_in_time integer default 0 not null,
    short integer default 0 not null,
    flowed_out integer default 0 not null,
    called_back integer default 0 not null,
    called_back_in_time integer default 0 not null,
    goal_events integer default 0 not null,
    goal_abandoned integer default 0 not null,
    answer_ms bigint default 0 not null,
    abandon_ms bigint default 0 not null,
    constraint pk_cohort_total primary key (begins_at, queue_id)
) with (fillfactor = 85);

create table event_total (
    begins_at timestamp with time zone not null,
    queue_id bigint not null,
    entered integer default 0 not null,
    moved integer default 0 not null,
    withdrawn integer default 0 not null,
    answered integer default 0 not null,
    in_time integer default 0 not null,
    abandoned integer default 0 not null,
    abandoned_in_time integer default 0 not null,
    short integer default 0 not null,
    flowed_out integer default 0 not null,
    called_back integer default 0 not null,
    called_back_in_time integer default 0 not null,
    goal_events integer default 0 not null,
    goal_abandoned integer default 0 not null,
    answer_ms bigint default 0 not null,
    abandon_ms bigint default 0 not null,
    handled integer default 0 not null,
    talk_ms bigint default 0 not null,
    hold_ms bigint default 0 not null,
    wrap_up_ms bigint default 0 not null,
    charged_ms bigint default 0 not null,
    handle_ms bigint default 0 not null,
    transferred integer default 0 not null,
    opened integer default 0 not null,
    reopened integer default 0 not null,
    came integer default 0 not null,
    resolved integer default 0 not null,
    went integer default 0 not null,
    offers integer default 0 not null,
    offers_missed integer default 0 not null,
    offers_declined integer default 0 not null,
    constraint pk_event_total primary key (begins_at, queue_id)
) with (fillfactor = 85);

create table time_ledger (
    begins_at timestamp with time zone not null,
    agent_id bigint not null,
    queue_id bigint not null,
    channel text not null,
    language text not null,
    team_id bigint not null,
    talk_ms bigint default 0 not null,
    hold_ms bigint default 0 not null,
    wrap_up_ms bigint default 0 not null,
    charged_ms bigint default 0 not null,
    constraint pk_time_ledger primary key (agent_id, begins_at, queue_id, channel, language, team_id)
);
create index ix_time_ledger_begins_at on time_ledger (begins_at);

create table agent_ledger (
    begins_at timestamp with time zone not null,
    agent_id bigint not null,
    state text not null,
    reason text not null,
    state_ms bigint default 0 not null,
    engaged_ms bigint default 0 not null,
    constraint pk_agent_ledger primary key (agent_id, begins_at, state, reason)
);
create index ix_agent_ledger_begins_at on agent_ledger (begins_at);

create function quarter(at timestamp with time zone) returns timestamp with time zone
    language sql immutable parallel safe strict
    return date_bin(interval '15 minutes', at, timestamp with time zone '2000-01-01 00:00+00');

create function ms(length interval) returns bigint language sql immutable parallel safe strict
    return round(extract(epoch from length) * 1000)::bigint;

-- When so many open seconds have passed; without known hours the clock simply runs on.
create function open_until(hours bigint, since timestamp with time zone, seconds integer) returns timestamp with time zone
    language sql stable parallel safe as $$
    select coalesce((
        select closes_at - (total - make_interval(secs => seconds))
        from (
            select closes_at, sum(closes_at - greatest(opens_at, since)) over (order by opens_at) as total
            from (
                select opens_at, closes_at from open_span
                where hours_id = hours and closes_at > since and opens_at < since + interval '60 days'
                order by opens_at limit 120
            ) near
        ) counted
        where total >= make_interval(secs => seconds) order by closes_at limit 1
    ), since + make_interval(secs => seconds))
    $$;

-- What a stay counts for, in the interval in which it arrived.
create view cohort_of_stay as
select entry_id, quarter(entered_at) as begins_at, queue_id, channel, language, team_id,
    1 as entered, moved::int as moved, (ended_as = 'withdrawn')::int as withdrawn,
    (ended_as = 'answered')::int as answered, (ended_as = 'answered' and ended_at <= due_at)::int as in_time,
    (ended_as = 'abandoned')::int as abandoned, (ended_as = 'abandoned' and ended_at <= due_at)::int as abandoned_in_time,
    (ended_as = 'abandoned' and ended_at - waiting_since <= make_interval(secs => short_seconds))::int as short,
    (ended_as = 'flowed out')::int as flowed_out,
    (ended_as = 'called back')::int as called_back, (ended_as = 'called back' and ended_at <= due_at)::int as called_back_in_time,
    (ended_at > due_at or ended_as = 'answered'
        or ended_as = 'abandoned' and ended_at - waiting_since > make_interval(secs => short_seconds))::int as goal_events,
    (ended_as = 'abandoned' and ended_at <= due_at
        and ended_at - waiting_since > make_interval(secs => short_seconds))::int as goal_abandoned,
    case when ended_as = 'answered' then ms(ended_at - waiting_since) else 0 end as answer_ms,
    case when ended_as = 'abandoned' then ms(ended_at - waiting_since) else 0 end as abandon_ms
from stay
where entered_at is not null and queue_id is not null;

-- The same, each count in the interval in which it happened.
create view event_of_stay as
select s.entry_id, quarter(m.at) as begins_at, s.queue_id, s.channel, s.language, s.team_id,
    (m.kind = 'entered')::int as entered, (m.kind = 'entered' and s.moved)::int as moved,
    (m.kind = 'ended' and ended_as = 'withdrawn')::int as withdrawn,
    (m.kind = 'ended' and ended_as = 'answered')::int as answered,
    (m.kind = 'ended' and ended_as = 'answered' and ended_at <= due_at)::int as in_time,
    (m.kind = 'ended' and ended_as = 'abandoned')::int as abandoned,
    (m.kind = 'ended' and ended_as = 'abandoned' and ended_at <= due_at)::int as abandoned_in_time,
    (m.kind = 'ended' and ended_as = 'abandoned' and is_short)::int as short,
    (m.kind = 'ended' and ended_as = 'flowed out')::int as flowed_out,
    (m.kind = 'ended' and ended_as = 'called back')::int as called_back,
    (m.kind = 'ended' and ended_as = 'called back' and ended_at <= due_at)::int as called_back_in_time,
    (m.kind = 'goal')::int as goal_events,
    (m.kind = 'goal' and ended_as = 'abandoned' and ended_at <= due_at)::int as goal_abandoned,
    case when m.kind = 'ended' and ended_as = 'answered' then ms(ended_at - waiting_since) else 0 end as answer_ms,
    case when m.kind = 'ended' and ended_as = 'abandoned' then ms(ended_at - waiting_since) else 0 end as abandon_ms
from stay s
cross join lateral (select ended_at - waiting_since <= make_interval(secs => short_seconds) as is_short) l
cross join lateral (values
    ('entered', entered_at), ('ended', ended_at),
    ('goal', case
        when ended_at > due_at then greatest(due_at, entered_at)
        when ended_as = 'answered' or ended_as = 'abandoned' and not is_short then ended_at
    end)
) m (kind, at)
where entered_at is not null and queue_id is not null and m.at is not null;

-- What a piece of work counts for, booked when it is all over.
create view event_of_work as
select assignment_id, agent_id, ended_at, quarter(ended_at) as begins_at, queue_id, channel, language, team_id,
    1 as handled, talk_ms, hold_ms, wrap_up_ms, charged_ms,
    case when media_class = 'chat' then charged_ms else talk_ms + wrap_up_ms + case when media_class = 'call' then hold_ms else 0 end end as handle_ms,
    (outcome = 'transferred')::int as transferred
from work
where ended_at is not null and accepted_at is not null and queue_id is not null;

-- What a case counts for: it is opened, reopened or comes to a queue, and is settled or goes away again.
create view event_of_case as
select s.case_id, quarter(m.at) as begins_at, s.queue_id, s.channel, s.language, 0::bigint as team_id,
    (m.kind = 'opened')::int as opened, (m.kind = 'reopened')::int as reopened, (m.kind in ('transferred', 'moved'))::int as came,
    (m.kind = 'settled')::int as resolved, (m.kind = 'gone')::int as went
from case_span s
cross join lateral (values
    (s.kind, s.began_at), (case when s.end_kind = 'resolved' then 'settled' else 'gone' end, s.ended_at)
) m (kind, at)
where m.at is not null;

create table report (
    id bigint generated by default as identity,
    agent_id bigint not null,
    name text not null,
    shared boolean default false not null,
    shape jsonb not null,
    created_at timestamp with time zone default now() not null,
    constraint pk_report primary key (id),
    constraint fk_report_agent_id foreign key (agent_id) references agent (id) on delete cascade
);
create index ix_report_agent_id on report (agent_id);

create table report_mail (
    id bigint generated by default as identity,
    report_id bigint not null,
    agent_id bigint not null,
    address text not null,
    rhythm text not null,
    hour smallint not null,
    sent_for date,
    fault text default '' not null,
    constraint pk_report_mail primary key (id),
    constraint fk_report_mail_report_id foreign key (report_id) references report (id) on delete cascade,
    constraint fk_report_mail_agent_id foreign key (agent_id) references agent (id) on delete cascade
);
create index ix_report_mail_report_id on report_mail (report_id);

create table survey_setting (
    queue_id bigint not null,
    kind text not null,
    every_days integer default 30 not null,
    share smallint default 100 not null,
    after_minutes integer default 60 not null,
    since timestamp with time zone default now() not null,
    constraint pk_survey_setting primary key (queue_id),
    constraint fk_survey_setting_queue_id foreign key (queue_id) references queue (id) on delete cascade
);

create table survey (
    id bigint generated by default as identity,
    token_hash bytea not null,
    case_id bigint not null,
    customer_id bigint not null,
    queue_id bigint not null,
    agent_id bigint,
    channel text default '' not null,
    language text default '' not null,
    kind text not null,
    asked_at timestamp with time zone default now() not null,
    expires_at timestamp with time zone not null,
    answered_at timestamp with time zone,
    score smallint,
    words text default '' not null,
    constraint pk_survey primary key (id),
    constraint uq_survey_token_hash unique (token_hash),
    constraint uq_survey_case_id unique (case_id),
    constraint fk_survey_case_id foreign key (case_id) references "case" (id),
    constraint fk_survey_customer_id foreign key (customer_id) references customer (id),
    constraint fk_survey_queue_id foreign key (queue_id) references queue (id)
);
create index ix_survey_customer_id on survey (customer_id, asked_at);
create index ix_survey_asked_at on survey (asked_at);

create table survey_refusal (
    address text not null,
    at timestamp with time zone default now() not null,
    constraint pk_survey_refusal primary key (address)
);
