CREATE TABLE show (
    id bigint PRIMARY KEY,
    available bigint NOT NULL CHECK (available >= 0),
    sold bigint NOT NULL,
    price_paise bigint NOT NULL
);
CREATE TABLE booking (
    id uuid PRIMARY KEY,
    show_id bigint NOT NULL REFERENCES show,
    user_id bigint NOT NULL,
    quantity bigint NOT NULL,
    total_paise bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE idempotency_key (
    user_id bigint NOT NULL,
    key bigint NOT NULL,
    booking_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, key)
);
INSERT INTO show SELECT id, 1000000000, 0, 49900 FROM generate_series(1, 100) AS id;
