import * as v from 'valibot';

/*
 * What the screen reads of verbs' `--json`. Loaded with the first document: the first frame needs none. More fields may
 * be there; these are the ones that the screen shows.
 */

const texts = v.array(v.string());

/** A secret as `fleet secret list --json` prints it. */
const secretView = v.object({
	reference: v.string(),
	project: v.nullable(v.string()),
	store: v.string(),
	class: v.string(),
	hosts: texts,
	paths: texts,
	environment: v.nullable(v.string()),
	holders: v.array(v.object({run: v.string(), scope: v.string(), until: v.nullable(v.string())})),
});
export type SecretView = Readonly<v.InferOutput<typeof secretView>>;
export const secretViews = v.array(secretView);

/** A person's profile of an agent as `fleet profile --json` prints it. */
const profileView = v.object({
	agent: v.string(),
	state: v.picklist(['none', 'new', 'approved', 'changed']),
	files: v.array(v.object({path: v.string()})),
	changes: v.nullable(v.object({added: texts, changed: texts, removed: texts})),
});
export type ProfileView = Readonly<v.InferOutput<typeof profileView>>;
export const profileViews = v.array(profileView);

/** A place for secrets as `fleet secret stores --json` prints it. */
const storeView = v.object({
	id: v.string(),
	title: v.string(),
	state: v.picklist(['unlocked', 'locked', 'none']),
	because: v.string(),
});
export type StoreView = Readonly<v.InferOutput<typeof storeView>>;
export const storeViews = v.array(storeView);

/** What a project offers for a new run, and says of its pipeline, as `fleet project show --json` prints it. */
export const projectView = v.object({
	/** The branch that is checked out first. */
	branches: texts,
	/** Committed templates, from `.fleet/prompts/`. */
	prompts: v.array(v.object({name: v.string(), text: v.string()})),
	network: texts,
	/** What has to be typed for an approval, where the policy says so. */
	approveWord: v.nullable(v.string()),
	/** The commands that verify a result; none where the policy has none. */
	verify: texts,
	/** What the project is most likely tested by. */
	suggestedVerify: v.nullable(v.string()),
	/** Whether an approval has to be signed with a person's SSH key. */
	approveSigned: v.boolean(),
	/** Whether the policy says how a result is published at a forge. */
	publish: v.optional(v.boolean()),
	deploy: v.record(
		v.string(),
		v.object({
			command: v.string(),
			credentials: texts,
			window: v.optional(v.string()),
			wait: v.optional(v.object({command: v.string()})),
			health: v.optional(v.object({command: v.string()})),
			rollback: v.optional(v.string()),
			/** Whose yes it needs. */
			approve: v.optional(v.object({people: v.number(), from: texts})),
		}),
	),
});
export type ProjectView = Readonly<v.InferOutput<typeof projectView>>;

/** A line of a log in which something was found, as `fleet search --json` prints it. */
const foundView = v.object({
	run: v.string(),
	project: v.string(),
	log: v.picklist(['output', 'verify', 'deploy']),
	position: v.number(),
	at: v.string(),
	text: v.string(),
	match: v.object({from: v.number(), to: v.number()}),
});
export type FoundView = Readonly<v.InferOutput<typeof foundView>>;
export const searchView = v.object({
	found: v.array(foundView),
	logs: v.number(),
	of: v.number(),
	stopped: v.nullable(v.picklist(['limit', 'time', 'bytes'])),
});

/** What was spent, as `fleet spend --json` prints it. */
export const spendView = v.object({
	rows: v.array(
		v.object({
			key: v.string(),
			requests: v.number(),
			tokens: v.number(),
			dollars: v.pipe(
				v.nullable(v.number()),
				v.transform(dollars => dollars ?? 0),
			),
			unpriced: v.number(),
			runs: v.number(),
			silent: v.number(),
		}),
	),
});

const commitList = v.object({
	count: v.number(),
	newest: v.array(v.object({commit: v.string(), subject: v.string()})),
});

/** What a deploy would bring to a target, as `fleet deploy RUN TARGET --dry-run --json` prints it. */
export const deployPlanView = v.object({
	target: v.string(),
	commit: v.string(),
	/** The last good deploy there. */
	last: v.nullable(v.object({run: v.string(), commit: v.string(), at: v.string()})),
	/** Commits that come, and those that go; null where that is not known. */
	added: v.nullable(commitList),
	removed: v.nullable(commitList),
});
export type DeployPlanView = Readonly<v.InferOutput<typeof deployPlanView>>;

/** What a run takes of the disk, and what can be done about it, as `fleet clean --json` prints it. */
const diskView = v.object({
	run: v.string(),
	project: v.string(),
	/** Bytes. */
	bytes: v.number(),
	what: v.string(),
	note: v.string(),
	safe: v.boolean(),
});
export type DiskView = Readonly<v.InferOutput<typeof diskView>>;
export const diskViews = v.array(diskView);
