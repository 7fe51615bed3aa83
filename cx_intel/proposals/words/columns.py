"""What people call tables and columns, in the order in which a name is taken for the canonical one.

Names are compared in lower case with `_` for all between words. What is made of them: `cx_intel.proposals.tables`.
"""

TABLE_WORDS = {
    "account_aliases": ("alias", "merged"),
    "accounts": (
        "account",
        "customer",
        "compan",
        "client",
        "organi",
        "kunde",
        "tenant",
        "workspace",
        "firmen",
        "team",
        "business",
    ),
    "subscriptions": ("subscription", "contract", "licen", "vertr", "abo"),
    "invoices": ("invoice", "billing", "rechnung", "payment", "charge", "zahlung"),
    "mrr_history": ("mrr", "revenue", "arr"),
    "usage_events": ("event", "usage", "activit", "track", "log"),
    "support_tickets": ("ticket", "case", "conversation", "support", "issue"),
    "nps_responses": ("nps", "survey", "feedback", "umfrage"),
    "csm_activities": ("csm", "qbr", "meeting", "task", "touch"),
    "metrics": ("metric", "signal", "measure"),
    "ticket_status_history": ("status_history", "field_history", "ticket_event"),
}
"""Canonical table: parts of the names of files that hold it; the first table that fits best is taken."""

NEVER_NAMED = {
    "accounts": ("contact", "lead", "coupon", "transaction", "email", "note", "tag", "campaign"),
    "usage_events": (
        *("revenue", "mrr", "payment", "billing", "invoice", "charge", "refund", "contract", "subscription"),
        *("opportunit", "deal", "lead", "renewal", "churn"),
    ),
    "mrr_history": ("event", "payment", "invoice", "billing", "charge", "transaction"),
}
"""Canonical table: parts of the names of files that hold something else, whatever their columns are: what happened to
contracts and money is no usage of the product, and a log of amounts is no month's MRR."""

_ACCOUNT = (
    *("account_id", "customer_id", "company_id", "organization_id", "organisation_id", "org_id", "client_id"),
    *("tenant_id", "workspace_id", "group_id", "account", "customer", "company", "client", "organization", "kunde"),
    *("kundennummer", "kunden_nr", "kundennr", "kunden_id", "customer_no", "customer_number", "account_no"),
    *("account_number", "customer_name", "account_name", "company_name", "team_id", "business_id"),
)
_STATUS = ("status", "state", "stage", "lifecycle_stage")
TELLING = {
    "usage_events": ("event_name", "event_type", "event", "action", "feature", "feature_name"),
    "support_tickets": ("ticket", "case", "priority", "urgency", "severity", "resolved", "solved", "closed", "csat"),
    "csm_activities": ("activity", "task", "qbr", "meeting"),
}
"""Canonical table: words in the names of columns of which a file has one, if it is to be taken for the table by its columns
alone: an id, an account, a day and a type are what most tables have."""
CURRENCY_WORDS = ("currency", "currency_code", "waehrung")

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
        "segment": ("segment", "customer_segment", "size", "tier"),
        "industry": ("industry", "sector", "branche"),
        "country": ("country", "country_region", "country_code", "billing_country", "land"),
        "region": ("region", "territory"),
        "employee_count": ("employee_count", "employees", "number_of_employees", "headcount", "mitarbeiter"),
        "plan_tier": ("plan_tier", "plan", "plan_name", "package"),
        "owner": (
            *("owner", "csm", "csm_owner", "account_owner", "company_owner", "account_manager", "csm_name"),
            *("betreuer", "kundenbetreuer"),
        ),
        "status": _STATUS,
        "signup_date": (
            *("signup_date", "signed_up_at", "sign_up_date", "customer_since", "signed_on", "create_date"),
            *("created_at", "created_date", "created", "start_date", "signup", "kunde_seit"),
        ),
        "parent_account_id": ("parent_account_id", "parent_id", "parent", "parent_company_id"),
        "currency": CURRENCY_WORDS,
    },
    "subscriptions": {
        "subscription_id": (
            "subscription_id",
            "contract_id",
            "licence_id",
            "license_id",
            "sub_id",
            "id",
            "subscription",
            "contract",
            *(
                "vertragsnummer",
                "vertrags_nr",
                "vertragsnr",
                "vertrag",
                "contract_no",
                "contract_number",
                "opportunity_id",
            ),
        ),
        "account_id": _ACCOUNT,
        "product_name": ("product_name", "product", "plan_name", "plan", "produkt", "tier_name"),
        "plan_tier": ("plan_tier", "plan", "tier", "package"),
        "amount": (
            *("amount", "mrr", "mrr_amount", "monthly_amount", "fee", "price", "value", "arr", "arr_amount", "acv"),
            *("annual_amount", "annual_contract_value", "betrag", "monatsbetrag", "jahresbetrag", "jahresgebuehr"),
            *("monatsgebuehr", "gebuehr", "preis", "monthly_fee", "annual_fee", "monthly_price", "annual_price"),
            *(
                "contract_value",
                "total_contract_value",
                "tcv",
                "contract_amount",
                "vertragswert",
                "monthly_recurring_revenue",
                "annual_recurring_revenue",
            ),
            *("amount_cents", "amount_in_cents", "mrr_cents", "price_cents"),
        ),
        "unit_amount": (
            "unit_amount",
            "unit_price",
            "price_per_unit",
            "price_per_seat",
            "unit_amount_cents",
            "seat_price",
        ),
        "quantity": ("quantity", "seats", "units", "licences", "licenses", "menge"),
        "discount_pct": ("discount_pct", "discount_percent", "discount", "percent_off"),
        "billing_period_months": ("billing_period_months", "period_months", "months"),
        "billing_interval": ("billing_interval", "interval", "billing_frequency", "billing_period", "billing_cycle"),
        "currency": CURRENCY_WORDS,
        "start_date": (
            "start_date",
            "started_at",
            "starts_at",
            "contract_start",
            "start",
            "from",
            "valid_from",
            *("beginn", "vertragsbeginn", "start_datum", "current_period_start", "contract_start_date"),
            *("activated_at", "activation_date", "subscribed_at", "created_at", "created_date", "created"),
        ),
        "end_date": (
            "end_date",
            "ended_at",
            "ends_at",
            "contract_end",
            "end",
            "until",
            "to",
            "valid_to",
            *("ende", "vertragsende", "bis"),
        ),
        "cancel_at": ("cancel_at", "cancels_at"),
        "canceled_at": ("canceled_at", "cancelled_at", "cancellation_date", "cancelled_on", "gekuendigt_am"),
        "trial_end": ("trial_end", "trial_ends_at", "trial_end_date", "trial_until"),
        "renewal_date": ("renewal_date", "renews_on", "renews_at", "next_renewal", "renewal"),
        "term_months": ("term_months", "contract_term", "term"),
        "status": _STATUS,
        "updated_at": ("updated_at", "last_modified", "modified_at"),
    },
    "invoices": {
        "invoice_id": (
            "invoice_id",
            "invoice_number",
            "number",
            "payment_id",
            "charge_id",
            "id",
            "invoice",
            "rechnungsnummer",
        ),
        "account_id": _ACCOUNT,
        "product_name": ("product_name", "product", "plan_name", "plan", "product_id", "description"),
        "invoice_type": ("invoice_type", "type"),
        "invoice_date": (
            *("invoice_date", "issued_at", "issue_date", "date", "payment_date", "paid_at", "created_at", "created"),
            "datum",
        ),
        "period_start": (
            *("period_start", "service_start", "from", "billing_start_date", "billing_period_start", "start_date"),
            *("service_period_start", "period_start_date", "coverage_start"),
        ),
        "period_end": (
            *("period_end", "service_end", "to", "billing_end_date", "billing_period_end", "end_date"),
            *("service_period_end", "period_end_date", "coverage_end"),
        ),
        "amount": (
            "amount",
            "net_amount",
            "subtotal",
            "total",
            "amount_due",
            "netto",
            "betrag",
            "amount_cents",
            "total_cents",
        ),
        "billing_period_months": ("billing_period_months", "period_months", "months"),
        "currency": CURRENCY_WORDS,
        "status": (*_STATUS, "payment_status", "invoice_status"),
        "credited_invoice_id": ("credited_invoice_id", "credit_note_for"),
    },
    "mrr_history": {
        "account_id": _ACCOUNT,
        "month": ("month", "revenue_month", "period", "date", "monat"),
        "product_name": ("product_name", "product"),
        "mrr": ("mrr", "mrr_amount", "amount", "revenue", "value"),
        "currency": CURRENCY_WORDS,
    },
    "usage_events": {
        "event_id": ("event_id", "message_id", "insert_id", "uuid", "id", "event_uuid", "usage_id"),
        "account_id": _ACCOUNT,
        "user_id": ("user_id", "user", "person_id", "distinct_id"),
        "event_name": ("event_name", "event_type", "event", "action", "name", "type", "feature", "feature_name"),
        "event_timestamp": (
            "event_timestamp",
            "timestamp",
            "occurred_at",
            "event_time",
            "time",
            "created_at",
            *("at", "ts", "date", "event_date", "usage_date"),
        ),
        "properties": ("properties", "event_properties", "metadata"),
    },
    "support_tickets": {
        "ticket_id": (
            *("ticket_id", "case_number", "id", "number", "ticket", "conversation_id", "ticket_nr", "ticketnummer"),
            *("ticket_no", "ticket_number"),
        ),
        "account_id": _ACCOUNT,
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
        ),
        "first_reply_at": ("first_reply_at", "first_response_at", "first_replied_at"),
        "resolved_at": (
            *("resolved_at", "solved_at", "closed_at", "closed", "resolved", "closed_date", "geloest_am"),
            *("geschlossen_am", "erledigt_am", "date_closed", "date_resolved", "resolved_date", "resolution_date"),
        ),
        "priority": ("priority", "urgency", "severity", "prioritaet"),
        "category": ("category", "type", "topic", "subject", "kategorie"),
        "status": (*_STATUS, "current_status"),
        "satisfaction_score": ("satisfaction_score", "csat", "csat_score", "rating", "satisfaction", "stars"),
    },
    "nps_responses": {
        "response_id": ("response_id", "survey_id", "nps_id", "feedback_id", "id"),
        "account_id": _ACCOUNT,
        "score": ("score", "nps", "nps_score", "rating", "bewertung"),
        "responded_at": (
            *("responded_at", "answered_at", "submitted_at", "response_date", "date", "created_at", "datum"),
            *("timestamp", "feedback_date", "survey_date"),
        ),
    },
    "csm_activities": {
        "activity_id": ("activity_id", "task_id", "id"),
        "account_id": _ACCOUNT,
        "activity_type": ("activity_type", "type", "subject", "kind"),
        "status": _STATUS,
        "completed_at": ("completed_at", "done_at", "date_done", "activity_date", "date"),
    },
    "metrics": {
        "account_id": _ACCOUNT,
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
