import process from 'node:process';
import {compose} from '../compose.ts';
import {orThrow} from '../core/refusal.ts';
import {escapeControls, escapeLine} from '../core/text/escape-controls.ts';
import {parseDuration} from '../core/text/time.ts';
import {preview} from '../engine/handover/preview.ts';
import {findRun} from '../engine/runs.ts';
import {openBrowser} from '../terminal/browser.ts';
import {endingSignals} from '../terminal/take-terminal.ts';
import {choice, define, required, text} from './verb.ts';

const hourMs = 60 * 60_000;

export const verb = define({
	summary: "run the policy's preview over what was verified, and open it in your browser; ctrl-c ends it",
	arguments: {run: required('RUN')},
	options: {
		browser: choice('open it, also where no desktop is seen', 'print the address only'),
		for: text('TIME', 'how long, such as 30m; by default an hour'),
	},
	usage: 'RUN [--no-browser] [--for TIME]',
	async run(io, {run: name}, options) {
		const context = compose();
		const run = findRun(context, name);
		const lifeMs = options.for === undefined ? hourMs : orThrow(parseDuration(options.for));
		const end = new AbortController();
		const onSignal = () => end.abort('ended by a person');
		for (const signal of endingSignals) {
			process.on(signal, onSignal);
		}

		try {
			const because = await preview(context, run, {
				signal: end.signal,
				lifeMs,
				onOutput: words => io.out(escapeControls(words)),
				onOpen(server, {command, port}) {
					const url = server.ticketAddress();
					io.out(`$ ${escapeLine(command)}\n${url}\n  opens port ${port} once within 5 minutes; ctrl-c ends it\n`);
					if (options.browser !== false) {
						void openBrowser(url);
					}
				},
			});
			io.report({outcome: {because}});
			io.out(`preview of ${run.id}: ${because}\n`);
		} finally {
			for (const signal of endingSignals) {
				process.off(signal, onSignal);
			}
		}
	},
});
