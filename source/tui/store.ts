import type {FleetClient} from '../protocol/client.ts';
import {perform} from './perform.ts';
import {initialState, type Effect, type Message, type State} from './state.ts';
import {TerminalView} from './terminal-view.ts';
import {update} from './update.ts';

/** Output is drawn at most this often, milliseconds: the screen never sees the rate of an agent's lines. */
const frame = 50;

/** Holds the one state, feeds it messages, performs what it asks for, and tells who draws it. */
export class Store {
	#state: State;
	readonly #client: FleetClient;
	readonly #listeners = new Set<() => void>();
	readonly #onEffect: (effect: Effect) => boolean;
	#followed: {run: string; view: TerminalView; stop: () => void} | undefined;
	#painting: NodeJS.Timeout | undefined;
	readonly #unwatch: () => void;

	/** @param onEffect takes the effects that end the screen for a while (`quit`, `terminal`); returns whether it did */
	constructor(client: FleetClient, size: {columns: number; rows: number}, onEffect: (effect: Effect) => boolean, resumeFrom?: State) {
		this.#client = client;
		this.#onEffect = onEffect;
		const fresh = initialState({...size, now: client.now(), runs: client.runs(), changes: client.changes(), projects: client.projects(), here: client.here});
		this.#state = resumeFrom ? {...resumeFrom, ...size, runs: fresh.runs, changes: fresh.changes, projects: fresh.projects, now: fresh.now, busy: {}, screen: resumeFrom.screen === 'welcome' ? fresh.screen : resumeFrom.screen} : fresh;
		this.#unwatch = client.watch(() => this.#refresh());
		this.#look();
		this.#askForCommands();
		// A look along the search path, which no first frame needs.
		setImmediate(() => this.send({type: 'agents', agents: client.agents()}));
	}

	readonly snapshot = (): State => this.#state;

	readonly subscribe = (listener: () => void): (() => void) => {
		this.#listeners.add(listener);
		return () => {
			this.#listeners.delete(listener);
		};
	};

	send(message: Message): void {
		const {state, effects} = update(this.#state, message);
		const changed = state !== this.#state;
		this.#state = state;
		if (changed) {
			this.#look();
			for (const listener of this.#listeners) {
				listener();
			}
		}

		for (const effect of effects) {
			if (!this.#onEffect(effect)) {
				void perform(this.#client, effect, message => {
					// What a verb did is in the journal already: the row must not lag behind the words.
					this.#refresh();
					this.#askForCommands();
					this.send(message);
				});
			}
		}
	}

	close(): void {
		this.#unwatch();
		this.#followed?.stop();
		this.#followed = undefined;
		clearTimeout(this.#painting);
	}

	#refresh(): void {
		this.send({type: 'data', runs: this.#client.runs(), changes: this.#client.changes(), projects: this.#client.projects(), now: this.#client.now()});
		this.#readJournal();
	}

	/** Only a new run needs them, so the first frame does not wait. */
	#askForCommands(): void {
		this.#client.recentCommands().then(commands => this.send({type: 'recent', commands}), () => {});
	}

	#readJournal(): void {
		const {selected, screen, tab} = this.#state;
		if (selected && screen === 'run' && (tab === 'journal' || tab === 'network')) {
			const entries = this.#client.journal(selected);
			if (entries.length !== this.#state.journal.length) {
				this.send({type: 'journal', run: selected, entries});
			}
		}
	}

	/** Follows the output of the run that is selected, and of no other. */
	#look(): void {
		const {selected} = this.#state;
		if (this.#followed?.run !== selected) {
			this.#followed?.stop();
			this.#followed = undefined;
			if (selected !== undefined) {
				const view = new TerminalView();
				const stop = this.#client.follow(selected, (bytes, fresh) => {
					if (fresh) {
						view.reset();
					}

					view.write(bytes, () => this.#paintSoon(selected, view));
				});
				this.#followed = {run: selected, view, stop: () => {
					stop();
					view.close();
				}};
			}
		}

		if (this.#state.journal.length === 0) {
			queueMicrotask(() => this.#readJournal());
		}
	}

	#paintSoon(run: string, view: TerminalView): void {
		this.#painting ??= setTimeout(() => {
			this.#painting = undefined;
			if (this.#followed?.view === view) {
				this.send({type: 'output', run, lines: view.lines()});
			}
		}, frame);
	}
}
