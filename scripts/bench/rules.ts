import process from 'node:process';
import {decideEgress} from '../../source/core/network/egress.ts';
import {parseEgressRule} from '../../source/core/network/rules.ts';
import {Refusal} from '../../source/core/refusal.ts';
import {parsePolicy} from '../../source/core/policy.ts';
import {termsOf, type Wall} from '../../source/core/grants/terms.ts';
import {median, openTable, report} from './table.ts';

/* What a decision by the rules about grants costs, against one that the proxy makes at each request. */

const rounds = 20;
const perRound = 20_000;

/** Microseconds of one call: the median of several rounds. */
function micros(work: (index: number) => unknown): number {
	const times = Array.from({length: rounds}, () => {
		const began = performance.now();
		for (let index = 0; index < perRound; index++) {
			work(index);
		}

		return ((performance.now() - began) * 1000) / perRound;
	});
	return median(times);
}

function wall(count: number): Wall {
	const rules = Array.from(
		{length: count},
		(_, index) => `  - {scope: "network:*.part${index}.example.org", longest: 1h}\n`,
	);
	const policy = parsePolicy(`grants:\n${rules.join('')}  - {scope: "secret:project/prod-*", never: true}\n`);
	if (policy instanceof Refusal) {
		throw policy;
	}

	return {names: 'project', file: 'policy', rules: policy.grants};
}

const {rows, add} = openTable();
const hosts = Array.from({length: 50}, (_, index) => {
	const rule = parseEgressRule(`a.part${index}.example.org`);
	if (rule instanceof Refusal) {
		throw rule;
	}

	return {...rule, source: 'policy'};
});
const request = micros(index => decideEgress({host: `a.part${index % 50}.example.org`, port: 443}, hosts));
add("the proxy's decision about a request, 50 hosts", `${request.toFixed(2)} µs`);
for (const count of [0, 5, 50]) {
	const walls = count === 0 ? [] : [wall(count)];
	const one = micros(index => termsOf([`network:a.part${index % 50}.example.org`], walls));
	add(
		`a decision about a grant, ${count === 0 ? 'no rule' : `${count} rules`}`,
		`${one.toFixed(2)} µs`,
		`${(one / request).toFixed(1)} × a request's`,
	);
}

report(rows, process.argv);
