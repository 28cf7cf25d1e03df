"""The demo: a small seeded city that sends records to the real collectors. It is a sender; it never touches the store."""
