import {compose} from '../compose.ts';
import {orThrow, Refusal} from '../core/refusal.ts';
import {printable} from '../core/names.ts';
import type {Run} from '../core/run/run.ts';
import {isInForce} from '../core/scope.ts';
import type {Context} from '../engine/context.ts';
import {allow} from '../engine/grants/scopes.ts';
import {connectOrRefuse} from '../engine/owner.ts';
import {findRun} from '../engine/runs.ts';
import {openedBy, parseGrantable} from '../scopes/registry.ts';
import {ask} from '../terminal/ask.ts';
import {openBrowser} from '../terminal/browser.ts';
import type {Io} from '../terminal/program.ts';
import {choice, define, json, optional, required} from './verb.ts';

/** The ports that are granted now. */
const grantedPorts = (run: Run): number[] =>
	run.grants.flatMap(grant => {
		const {port} = openedBy(grant.scope);
		return port !== undefined && isInForce(grant, Date.now()) ? [port] : [];
	});

/** The port that is meant. @throws Refusal where it is not said, and there is not just one */
function portOf(run: Run, typed: string | undefined): number {
	if (typed !== undefined) {
		return openedBy(orThrow(parseGrantable(`port:${typed}`)).scope).port!;
	}

	const granted = grantedPorts(run);
	const ports = granted.length > 0 ? granted : run.listening;
	if (ports.length === 1) {
		return ports[0]!;
	}

	throw new Refusal(
		ports.length === 0
			? `nothing listens in ${run.id}, as far as fleet has seen`
			: `${run.id} has more than one port: ${ports.join(', ')}`,
		`fleet open ${run.id} ${ports[0] ?? 3000}`,
	);
}

/** A person who sits here may turn the scope on right away. @throws Refusal where nobody does, or says no */
async function askForGrant(context: Context, io: Io, {run, port}: {readonly run: Run; readonly port: number}) {
	const refusal = new Refusal(
		`port:${port} is not granted to ${run.id}`,
		`fleet allow ${run.id} port:${port} --because "…"`,
	);
	if (!io.interactive) {
		throw refusal;
	}

	io.err(
		`port:${port} is not granted to ${run.id}: your browser would show what its program serves there, ` +
			'and opens nothing for the run\n',
	);
	const answer = (await ask('turn it on? [y: for an hour, a: until the run ends, N] ', false)).trim().toLowerCase();
	if (answer !== 'y' && answer !== 'a') {
		throw refusal;
	}

	const because = (await ask('why, for the journal: ', false)).trim();
	await allow(context, run, {
		scope: `port:${port}`,
		because,
		...(answer === 'y' ? {durationMs: 60 * 60_000} : {}),
	});
}

export const verb = define({
	summary: 'open what a run serves on a port, in your browser',
	arguments: {
		run: required('RUN'),
		port: optional('[PORT]', 'inside the run; by default the one that is granted, or on which it listens'),
	},
	options: {
		browser: choice('open it, also where no desktop is seen', 'print the address only'),
		json,
	},
	usage: 'RUN [PORT] [--no-browser] [--json]',
	async run(io, {run: name, port: typed}, options) {
		const context = compose();
		const run = findRun(context, name);
		const port = portOf(run, typed);
		(await connectOrRefuse(context, run)).close();
		if (!grantedPorts(run).includes(port)) {
			await askForGrant(context, io, {run, port});
		}

		const connection = await connectOrRefuse(context, run);
		const {url, address, lifeMs, listens} = await connection
			.request<'open'>({type: 'open', port})
			.finally(() => connection.close());
		const opened = options.browser !== false && (!options.json || options.browser === true) && (await openBrowser(url));
		if (options.browser === true && !opened) {
			throw new Refusal(
				'no browser could be started',
				`export BROWSER=firefox, or fleet open ${run.id} ${port} --no-browser`,
			);
		}

		const because = `${run.id} port ${port} ${opened ? 'is opened in your browser' : `is at ${printable(url, 300)}`}`;
		io.report({outcome: {because}});
		if (options.json) {
			io.json({run: run.id, port, url, address, seconds: lifeMs / 1000, listens, opened});
			return;
		}

		const note = listens ? '' : `  note: nothing listens on port ${port} yet; the page waits for it\n`;
		io.out(
			`${url}\n  opens ${run.id}, port ${port}, once within ${lifeMs / 60_000} minutes` +
				`${opened ? '; your browser was asked to' : ''}\n${note}`,
		);
	},
});
