/*
 * What lies in a sandbox in a credential's place: shaped like one,
 * since some programs look before they ask, and worth nothing.
 */

type Shape = {readonly id: string; readonly matches: RegExp; make(random: (length: number) => string): string};

const shapes: readonly Shape[] = [
	{id: 'sk-ant-oat01', matches: /^sk-ant-oat\d\d-/, make: random => `sk-ant-oat01-${random(93)}AA`},
	{id: 'sk-ant-api03', matches: /^sk-ant-/, make: random => `sk-ant-api03-${random(93)}AA`},
	{id: 'sk-proj', matches: /^sk-proj-/, make: random => `sk-proj-${random(64)}`},
	{id: 'sk-live', matches: /^sk_live_/, make: random => `sk_live_${random(32)}`},
	{id: 'sk-test', matches: /^sk_test_/, make: random => `sk_test_${random(32)}`},
	{id: 'sk', matches: /^sk-/, make: random => `sk-${random(48)}`},
	{id: 'github-pat', matches: /^github_pat_/, make: random => `github_pat_11${random(20)}_${random(59)}`},
	{id: 'gho', matches: /^gho_/, make: random => `gho_${random(36)}`},
	{id: 'ghu', matches: /^ghu_/, make: random => `ghu_${random(36)}`},
	{id: 'ghp', matches: /^gh[psr]_/, make: random => `ghp_${random(36)}`},
	{id: 'glpat', matches: /^glpat-/, make: random => `glpat-${random(24)}`},
	{id: 'npm', matches: /^npm_/, make: random => `npm_${random(36)}`},
	{id: 'google', matches: /^AIza/, make: random => `AIza${random(35)}`},
	{id: 'slack', matches: /^xox[bpa]-/, make: random => `xoxb-${random(40)}`},
	// Header {"alg":"none"}, payload {"fleet":"pointer","exp":4102444800}:
	// readable by a client that looks at the end of its validity.
	{
		id: 'jwt',
		matches: /^eyJ[\w-]+\.[\w-]+\.[\w-]*$/,
		make: random => `eyJhbGciOiJub25lIn0.eyJmbGVldCI6InBvaW50ZXIiLCJleHAiOjQxMDI0NDQ4MDB9.${random(43)}`,
	},
];

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** How a value looks from outside: the name of its vendor's form, or `plain`. Says nothing of what is secret in it. */
export function shapeOf(value: string): string {
	return shapes.find(shape => shape.matches.test(value))?.id ?? 'plain';
}

/**
 * A run pointer of a shape, with at least 128 random bits.
 * @param random bytes, at least 128 of them, from a cryptographic source
 */
export function makePointer(shape: string, random: Uint8Array): string {
	let at = 0;
	const take = (length: number) => {
		let text = '';
		for (; text.length < length; at++) {
			const byte = random[at % random.length]!;
			// Bytes past the last whole multiple would make some characters likelier.
			if (byte < 248) {
				text += alphabet[byte % 62];
			}
		}

		return text;
	};

	return shapes.find(({id}) => id === shape)?.make(take) ?? `fleet_${take(40)}`;
}
