-- The least that a correct booking has to do, in one statement: the seat is taken only if there is
-- one, and seat, booking and key come into being together or not at all.
\set show random(1, :shows)
\set buyer random(1, 1000000000)
\set key random(1, 9000000000000000000)
WITH seat AS (
    UPDATE show SET available = available - 1, sold = sold + 1
    WHERE id = :show AND available >= 1
    RETURNING id, price_paise
), sale AS (
    INSERT INTO booking (id, show_id, user_id, quantity, total_paise)
    SELECT gen_random_uuid(), id, :buyer, 1, price_paise FROM seat
    RETURNING id
)
INSERT INTO idempotency_key (user_id, key, booking_id) SELECT :buyer, :key, id FROM sale;
