import * as v from 'valibot';
import {itemIds} from '../core/run/audit.ts';

/*
 * What a verb tells the program that started it, beside its words: those are for people. It goes over Node's channel
 * between the two, where there is one.
 */

const status = v.picklist(['PASS', 'FAIL', 'ERROR']);
const itemId = v.picklist(itemIds);

const probe = v.object({
	id: v.string(),
	item: itemId,
	tried: v.string(),
	expected: v.string(),
	seen: v.string(),
	host: v.string(),
	status,
});

const auditItem = v.object({id: itemId, title: v.string(), status, probes: v.pipe(v.array(probe), v.readonly())});

const content = v.object({bytes: v.number(), what: v.optional(v.string())});

const binary = v.object({path: v.string(), before: v.nullable(content), after: v.nullable(content)});

const report = v.object({
	/** Why it ended with a "no". */
	refusal: v.optional(
		v.object({code: v.optional(v.picklist(['needs-person', 'locked'])), because: v.string(), hint: v.string()}),
	),
	/** What a verb found that came to its end, where its exit code may be another than 0. */
	outcome: v.optional(v.object({because: v.string(), hint: v.optional(v.string())})),
	/** The runs that it started or paused. */
	runs: v.optional(v.pipe(v.array(v.string()), v.readonly())),
	/** What became of files of a diff that are not text. */
	binaries: v.optional(v.pipe(v.array(binary), v.readonly())),
	/** What an audit found. */
	audit: v.optional(v.pipe(v.array(auditItem), v.readonly())),
});

export type VerbReport = Readonly<v.InferOutput<typeof report>>;

/**
 * Reads what came over the channel. Another version of fleet may say more, or something else: that is read as if it
 * had said nothing.
 */
export function parseReport(message: unknown): VerbReport {
	const result = v.safeParse(report, message);
	return result.success ? result.output : {};
}
