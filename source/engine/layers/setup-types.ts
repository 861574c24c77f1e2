import type {EgressRule} from '../../core/network/rules.ts';
import type {SandboxPlan} from '../../core/plan.ts';
import type {Policy} from '../../core/policy.ts';
import type {DenialKind} from '../../core/run/event.ts';
import type {Sandbox} from '../../core/seams.ts';
import type {Git} from '../../host/git.ts';
import type {Looked} from '../../host/git-folder.ts';
import type {Trusted} from '../../host/trusted.ts';
import type {Context} from '../context.ts';
import type {SetupSecret} from '../grants/secret-values.ts';
import type {ShellTools} from '../sandbox/tools.ts';

/* What a setup is asked for with, and the places of one that goes on. */

/** Where the checkout is while setup runs; in runs and verifications a link leads from here to theirs. */
export const insideProject = '/run/fleet/project';

/** What one command of setup may take, milliseconds. */
export const commandTimeoutMs = 60 * 60_000;

export type Setup = {
	readonly context: Context;
	readonly project: {readonly id: string; readonly root: string};
	readonly git: Git;
	readonly commonDir: string;
	readonly sandbox: Sandbox;
	readonly policy: Policy;
	/** The tree, as git folder and checkout are made of it. */
	readonly what: Looked['what'];
	/** Full ref that HEAD names. */
	readonly branch: string;
	/** See `KeyParts`. */
	readonly isTaken: boolean;
	/** Hosts that setup may reach. */
	readonly rules: readonly EgressRule[];
	readonly tools: ShellTools;
	readonly trusted: Trusted;
	/** Secrets that the policy's setup names, once they are needed. */
	secrets(): Promise<readonly SetupSecret[]>;
	/** Ends it; its reason is what is said. */
	readonly signal?: AbortSignal | undefined;
	/** Gets what is to be read by a person: what the commands write, and what goes on. */
	tell(text: string): void;
	/** Called before each command, where they are run. */
	onCommand?(command: string): void;
	/** Called once where there is something to be done. */
	begun?(): void;
	onDenied?(target: string, because: string, kind: DenialKind): void;
	/** Called where what is allowed did not answer. */
	onUnreached?(because: string): void;
};

/** The name under which setups of a project run: root's drop to its uid. */
export const setupId = (project: string) => `setup-${project}`;

/** Where one setup works, on the host. */
export type Places = {
	readonly folder: string;
	/** What becomes the layer, and in it the checkout and HOME. */
	readonly layer: string;
	readonly tree: string;
	readonly home: string;
	/** A file with the paths that git keeps, each ended by NUL: those of submodules, too. */
	readonly names: string;
	/** The name of its control group. */
	readonly group: string;
	/** What setup may write, whose growth is limited. */
	readonly written: readonly string[];
	readonly plan: SandboxPlan;
};
