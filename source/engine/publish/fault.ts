import * as v from 'valibot';
import {placeText, type ForgePlace} from '../../core/publish/place.ts';
import {gateRefusal, type Refusal} from '../../core/refusal.ts';
import {escapeLine} from '../../core/text/escape-controls.ts';
import type {Answer} from './carrier.ts';

/** What both forges say of an error: a message, or several. */
const said = v.object({
	message: v.optional(v.union([v.string(), v.array(v.unknown()), v.record(v.string(), v.unknown())])),
	errors: v.optional(v.array(v.union([v.string(), v.object({message: v.optional(v.string())})]))),
});

function messageOf(json: unknown): string {
	const read = v.safeParse(said, json);
	if (!read.success) {
		return '';
	}

	const {message = '', errors = []} = read.output;
	const first = typeof message === 'string' ? message : JSON.stringify(message);
	const more = errors.map(one => (typeof one === 'string' ? one : (one.message ?? ''))).filter(one => one !== '');
	return escapeLine([first, ...more].filter(one => one !== '').join(': ')).slice(0, 200);
}

const hints: Readonly<Record<number, string>> = {
	401: 'the login is not taken there: fleet secret set NAME, or gh auth login, glab auth login',
	403: 'the login may not do that there; its token needs to write pull requests',
	404: 'the login does not see that project: its token needs to read it, or the address of the remote is another',
	429: 'wait: the forge limits how often it is asked',
};

/** A forge's answer that is not what was asked for, as a refusal. */
export function faultOf({status, json}: Answer, place: ForgePlace, what: string): Refusal {
	const isRedirect = status >= 300 && status < 400;
	const message = messageOf(json);
	const words = status < 300 ? 'what is not documented' : `${status}${message === '' ? '' : `: ${message}`}`;
	const because = `answered ${isRedirect ? `${status}, a redirect, which is not followed` : words}`;
	return gateRefusal(
		`it ${what}: ${placeText(place)} ${because}`,
		hints[status] ?? (isRedirect ? 'git remote set-url, where the project has moved' : 'try again'),
	);
}

/** What a forge answered that is not what was asked for, in words: `403: Resource not accessible`. */
export function wordsOfAnswer({status, json}: Answer): string {
	const message = messageOf(json);
	return status === 200 ? 'the answer is not what is documented' : `${status}${message === '' ? '' : `: ${message}`}`;
}
