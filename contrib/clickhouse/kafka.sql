-- Lets ClickHouse read lastack's records from Kafka by itself: after schema.sql, with your brokers
-- and your topic.  What Kafka gives twice replaces itself, as everything in these tables does.
CREATE TABLE IF NOT EXISTS lastack.kafka (json String) ENGINE = Kafka
SETTINGS kafka_broker_list = 'kafka1:9092', kafka_topic_list = 'lastack', kafka_group_name = 'lastack',
         kafka_format = 'JSONAsString', kafka_num_consumers = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS lastack.kafka_to_raw TO lastack.raw AS
SELECT json FROM lastack.kafka;
