import * as v from 'valibot';

/* What a verb tells the program that started it, beside its words: those are for people. Over Node's channel between the two, where there is one. */

const report = v.object({
	refusal: v.optional(
		v.object({code: v.optional(v.picklist(['needs-person', 'locked'])), because: v.string(), hint: v.string()}),
	),
	runs: v.optional(v.pipe(v.array(v.string()), v.readonly())),
});

/** `refusal`: why it ended with a "no". `runs`: those that it started or froze. */
export type VerbReport = Readonly<v.InferOutput<typeof report>>;

/** Reads what came over the channel. Another version of fleet may say more, or something else: that is as nothing. */
export function parseReport(message: unknown): VerbReport {
	const result = v.safeParse(report, message);
	return result.success ? result.output : {};
}
