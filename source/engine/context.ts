import type {Agent, Executor, Sandbox, Vault} from '../core/seams.ts';
import type {Person} from '../core/actor.ts';
import type {Toolchain} from '../core/toolchain.ts';
import type {Paths} from '../host/paths.ts';

/** What the engine works with; put together in compose.ts, since the engine knows no adapter. */
export type Context = {
	readonly paths: Paths;
	readonly sandboxes: readonly Sandbox[];
	readonly agents: readonly Agent[];
	/** The kinds of toolchains of a person's shell that are given to runs. */
	readonly toolchains: readonly Toolchain[];
	readonly vaults: readonly Vault[];
	readonly executor: Executor;
	/** Asks whoever types for something that is not shown. Rejects with a Refusal where there is nobody. */
	ask(question: string): Promise<string>;
	/** Who types. */
	readonly actor: Person;
	/** The program of a run's supervisor: argv before the run's id. */
	readonly supervisor: readonly string[];
	/** The program of the probes, which runs inside. */
	readonly probe: string;
};
