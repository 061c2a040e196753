# What developers type. `make test` is all that continuous integration runs.

.PHONY: help demo test needs lint servers docs soak fuzz bench audit clean

help: ## what can be typed
	@sed -n 's/^\([a-z]*\):.*## /make \1	/p' Makefile

demo: ## five services, a release, its revert in three orders, and a rollback, under load (half a minute)
	cargo run --quiet --example shop

test: needs lint servers ## format, lints, unit, property and end-to-end tests (7 min once all is built)
	cargo test --workspace

needs: # names what is missing before anything runs
	@sh tests/needs

lint: ## formatting, clippy and links of the docs, warnings are errors
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --quiet -- -D warnings
	cargo doc --workspace --no-deps --quiet

servers: ## builds the Kubernetes control plane and the forge of the tests, once (8 min)
	@tests/servers/build

docs: ## writes what is generated of the documents anew: command reference, picture, transcripts
	cargo run --quiet --example reference > docs/commands.md
	cargo run --quiet --package pintle-core --example picture > docs/order.svg
	PINTLE_DOCS=write cargo test --quiet --test tests docs::transcripts || cargo test --quiet --test tests docs::

soak: needs servers ## an hour of random commits, drift and restarts; PINTLE_SOAK=600 for ten minutes
	PINTLE_SOAK=$${PINTLE_SOAK:-3600} cargo test --test tests always::soak -- --nocapture

fuzz: ## odd files and commits for five minutes; PINTLE_FUZZ=60 for one
	PINTLE_FUZZ=$${PINTLE_FUZZ:-300} cargo test --test tests fuzz:: -- --nocapture

bench: ## the figures of docs/performance.md
	cargo bench

audit: ## licences, bans and sources of all dependencies
	@cargo deny --version >/dev/null 2>&1 || cargo install --locked cargo-deny
	cargo deny check licenses bans sources

clean: ## removes what was built here; the test servers stay in the cache folder
	cargo clean
