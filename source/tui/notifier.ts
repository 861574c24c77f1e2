import {attentionOf} from '../core/run/attention.ts';
import {glanceAt} from '../core/run/glance.ts';
import type {Run} from '../core/run/run.ts';
import {isQuiet} from '../core/settings.ts';
import type {FleetClient, Settings} from '../protocol/client.ts';

/** What each run needs a person for, by run. */
function needsOf(runs: readonly Run[]): Map<string, string> {
	return new Map(
		runs.flatMap(run => {
			const need = attentionOf(run);
			// Those that the list counts, too.
			return need !== undefined && glanceAt(run).group === 'needs you' ? [[run.id, need] as const] : [];
		}),
	);
}

/** Tells a person who looks elsewhere: by the terminal's title, its bell, and a notice of the desktop. */
export class Notifier {
	readonly #client: Pick<FleetClient, 'terminal' | 'timeOfDay'>;
	readonly #settings: () => Settings;
	readonly #atBegin: readonly Run[];
	#known: ReadonlyMap<string, string> | undefined;
	#title = '';
	#isFocused = false;

	/** @param runs what is known when the screen begins: none of it is news */
	constructor(client: Pick<FleetClient, 'terminal' | 'timeOfDay'>, settings: () => Settings, runs: readonly Run[]) {
		this.#client = client;
		this.#settings = settings;
		this.#atBegin = runs;
	}

	/** What was told of; of the first runs found out when it is asked for, which is after the first frame. */
	get #needs(): ReadonlyMap<string, string> {
		this.#known ??= needsOf(this.#atBegin);
		return this.#known;
	}

	/** The terminal says whether it is looked at; until it does, nobody is taken to look. */
	focused(isFocused: boolean): void {
		this.#isFocused = isFocused;
	}

	/** Says that a run has come to need a person: once for each reason, and aloud only to who does not see it anyway. */
	tell(runs: readonly Run[]): void {
		const needs = needsOf(runs);
		const fresh = [...needs].filter(([id, because]) => this.#needs.get(id) !== because);
		this.#known = needs;
		this.showTitle();
		const [first] = fresh;
		const {notify} = this.#settings();
		if (!first || this.#isFocused || isQuiet(notify.quiet, this.#client.timeOfDay())) {
			return;
		}

		if (notify.bell) {
			this.#client.terminal.bell();
		}

		if (notify.desktop) {
			const [id, because] = first;
			this.#client.terminal.notify(`${id}: ${because}${fresh.length > 1 ? `, and ${fresh.length - 1} more` : ''}`);
		}
	}

	/** Has the terminal's title say how many runs need a person. */
	showTitle(): void {
		const count = this.#needs.size;
		const title = count === 0 ? 'fleet' : `fleet: ${count} ${count === 1 ? 'needs' : 'need'} you`;
		if (title !== this.#title && this.#settings().notify.title) {
			this.#title = title;
			this.#client.terminal.title(title);
		}
	}
}
