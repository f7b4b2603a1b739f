//! What is kept: the Store and Tx traits, the SQLite backend, migrations, audit and change feed.
