import * as v from 'valibot';
import {Refusal} from '../refusal.ts';

/* What travels with a request for approval, beside the commits. Only what is signed in it counts; the rest is for reading. */

/** The file's name in the commit of a request, and in that of an answer. */
export const requestFile = 'request.json';
export const answerFile = 'answer.json';

/** Bytes of either that are read. */
export const maxRequestBytes = 256 * 1024;

const word = v.pipe(v.string(), v.maxLength(64 * 1024));
const requestSchema = v.strictObject({
	version: v.literal(1),
	/** What the run was asked to do, its first line. */
	title: v.pipe(v.string(), v.maxLength(400)),
	agent: v.pipe(v.string(), v.maxLength(100)),
	/** What the verification said. */
	verified: v.pipe(v.string(), v.maxLength(1000)),
	/** The requester's signed statement. */
	statement: word,
});
const answerSchema = v.strictObject({version: v.literal(1), statement: word});

export type RequestFile = v.InferOutput<typeof requestSchema>;

function read<Schema extends v.GenericSchema>(text: string, schema: Schema): v.InferOutput<Schema> | Refusal {
	let json: unknown;
	try {
		json = JSON.parse(text);
	} catch {
		json = undefined;
	}

	const result = v.safeParse(schema, json);
	return result.success
		? result.output
		: new Refusal(
				'what came from the remote is no request that this fleet reads',
				'ask for it anew: fleet request RUN',
			);
}

/** Reads a request as somebody pushed it. */
export function parseRequestFile(text: string): RequestFile | Refusal {
	return read(text, requestSchema);
}

/** The signed statement of an answer as somebody pushed it. */
export function parseAnswerFile(text: string): string | Refusal {
	const answer = read(text, answerSchema);
	return answer instanceof Refusal ? answer : answer.statement;
}
