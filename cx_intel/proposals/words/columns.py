"""What people call columns, in the order in which a name is taken for the canonical one; tables are in `files.py`.

Names are compared in lower case with `_` for all between words. What is made of them: `cx_intel.proposals.tables`.
"""

from cx_intel.proposals.words.billing import ACCOUNT, BILLING_COLUMNS, CURRENCY_WORDS, STATUS

COLUMN_WORDS: dict[str, dict[str, tuple[str, ...]]] = {
    "account_aliases": {
        "old_account_id": ("old_account_id", "old_id", "merged_id", "loser_id", "from_id"),
        "account_id": ("account_id", "new_account_id", "new_id", "survivor_id", "into_id", "to_id"),
    },
    "accounts": {
        "account_id": (
            *("account_id", "customer_id", "company_id", "record_id", "organization_id", "org_id", "client_id"),
            *("tenant_id", "id", "account", "customer", "kundennummer", "kunden_nr", "kundennr", "kunden_id", "uuid"),
            *(
                "customer_no",
                "customer_number",
                "account_no",
                "account_number",
                "company",
                "client",
                "kunde",
                "business_id",
            ),
        ),
        "account_name": ("account_name", "company_name", "customer_name", "name", "company", "customer", "firma"),
        "segment": ("segment", "customer_segment", "size", "tier", "business_size"),
        "industry": ("industry", "sector", "branche"),
        "country": ("country", "country_region", "country_code", "billing_country", "land"),
        "region": ("region", "territory"),
        "employee_count": (
            *("employee_count", "employees", "number_of_employees", "num_employees", "headcount", "mitarbeiter"),
            *("company_size", "size"),
        ),
        "plan_tier": ("plan_tier", "plan", "plan_name", "package"),
        "owner": (
            *("owner", "csm", "csm_owner", "account_owner", "company_owner", "account_manager", "csm_name"),
            *("betreuer", "kundenbetreuer"),
        ),
        "status": ("status", "account_status", "customer_status", "stage", "lifecycle_stage"),
        "signup_date": (
            *("signup_date", "signed_up_at", "sign_up_date", "customer_since", "signed_on", "create_date"),
            *("join_date", "joined_at", "date_joined", "registration_date", "registered_at", "onboarding_date"),
            *("created_at", "created_date", "created", "start_date", "signup", "kunde_seit"),
        ),
        "parent_account_id": ("parent_account_id", "parent_id", "parent", "parent_company_id"),
        "currency": CURRENCY_WORDS,
    },
    **BILLING_COLUMNS,
    "usage_events": {
        "event_id": ("event_id", "message_id", "insert_id", "uuid", "id", "event_uuid", "usage_id"),
        "account_id": ACCOUNT,
        "user_id": ("user_id", "user", "person_id", "distinct_id"),
        "event_name": (
            *("event_name", "event_type", "event", "action", "name", "type", "feature", "feature_name", "feature_used"),
        ),
        "event_timestamp": (
            "event_timestamp",
            "timestamp",
            "occurred_at",
            "event_time",
            "time",
            "event_at",
            "created_at",
            *("at", "ts", "date", "event_date", "usage_date", "happened_at", "logged_at", "activity_date"),
        ),
        "properties": ("properties", "event_properties", "metadata"),
    },
    "support_tickets": {
        "ticket_id": (
            *("ticket_id", "case_number", "id", "number", "ticket", "conversation_id", "ticket_nr", "ticketnummer"),
            *("ticket_no", "ticket_number"),
        ),
        "account_id": ACCOUNT,
        "created_at": (
            "created_at",
            "opened_at",
            "opened",
            "created",
            "created_date",
            "submitted_at",
            "date",
            "erstellt_am",
            "erstellt",
            *("date_received", "received_at", "received_date", "date_opened", "opened_date", "date_created"),
            *("create_at", "create_date", "created_on", "creation_date", "ticket_date", "submission_date"),
        ),
        "first_reply_at": ("first_reply_at", "first_response_at", "first_replied_at"),
        "resolved_at": (
            *("resolved_at", "solved_at", "closed_at", "closed", "resolved", "closed_date", "geloest_am"),
            *("geschlossen_am", "erledigt_am", "date_closed", "date_resolved", "resolved_date", "resolution_date"),
        ),
        "priority": ("priority", "urgency", "severity", "prioritaet"),
        "category": ("category", "issue_category", "issue_type", "type", "topic", "subject", "kategorie"),
        "status": (*STATUS, "current_status"),
        "satisfaction_score": (
            *("satisfaction_score", "csat", "csat_score", "rating", "satisfaction", "stars", "customer_rating"),
            "satisfaction_rating",
        ),
    },
    "nps_responses": {
        "response_id": ("response_id", "survey_id", "nps_id", "feedback_id", "id"),
        "account_id": ACCOUNT,
        "score": ("score", "nps", "nps_score", "rating", "bewertung", "punkte", "punktzahl", "wertung"),
        "responded_at": (
            *("responded_at", "answered_at", "submitted_at", "response_date", "date", "created_at", "datum"),
            *("timestamp", "feedback_date", "survey_date", "beantwortet_am", "beantwortet", "eingegangen_am"),
        ),
    },
    "csm_activities": {
        "activity_id": ("activity_id", "task_id", "id"),
        "account_id": ACCOUNT,
        "activity_type": ("activity_type", "type", "subject", "kind"),
        "status": STATUS,
        "completed_at": ("completed_at", "done_at", "date_done", "activity_date", "date"),
    },
    "contacts": {
        "contact_id": ("contact_id", "record_id", "person_id", "id"),
        "account_id": (*ACCOUNT, "associated_company_ids", "primary_associated_company_id", "associated_company"),
        "contact_name": ("contact_name", "full_name", "name"),
        "first_name": ("first_name", "firstname", "given_name", "vorname"),
        "last_name": ("last_name", "lastname", "surname", "family_name", "nachname"),
        "email": ("email", "email_address", "e_mail", "mail"),
        "phone": ("phone", "phone_number", "mobile_phone", "mobile", "telefon"),
        "job_title": ("job_title", "title", "position"),
        "contact_role": ("contact_role", "buying_role", "role", "rolle"),
        "user_id": ("user_id",),
        "status": ("status", "contact_status"),
        "last_activity_at": ("last_activity_at", "last_activity_date", "last_activity", "last_seen", "last_contacted"),
        "updated_at": ("updated_at", "last_modified_date", "last_modified", "modified_at"),
    },
    "metrics": {
        "account_id": ACCOUNT,
        "metric": ("metric", "metric_name", "signal", "name"),
        "measured_on": ("measured_on", "measured_at", "date", "as_of", "timestamp", "week_start", "snapshot_date"),
        "value": ("value", "score"),
    },
    "ticket_status_history": {
        "ticket_id": ("ticket_id", "ticket", "case_id"),
        "field": ("field", "field_name"),
        "changed_at": ("changed_at", "updated", "updated_at", "created_at", "timestamp"),
        "value": ("value", "new_value", "status"),
    },
}
"""Canonical table: its columns, each with the names that are taken for it, the likeliest first."""
