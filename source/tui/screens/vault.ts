import {escapeLine} from '../../core/text/escape-controls.ts';
import {formatDuration} from '../../core/text/time.ts';
import {inView} from '../paint/in-view.ts';
import {row, type Line} from '../paint/line.ts';
import type {State} from '../state.ts';

/**
 * What secrets there are, where they rest, where they may go, and
 * which runs may use them now. No value is anywhere in this program.
 */
export function vaultLines(state: State, height: number): Line[] {
	const {vault} = state;
	const lines: Line[] = [];
	if (!vault) {
		lines.push({text: ' loading…', dim: true});
	} else {
		for (const store of vault.stores) {
			lines.push({
				text: ` ${store.title}: ${store.state === 'unlocked' ? 'unlocked' : escapeLine(store.because)}`,
				dim: true,
				tone: store.state === 'locked' ? 'warn' : undefined,
			});
		}

		lines.push({text: ''});
		if (vault.secrets.length === 0) {
			lines.push({text: ' no secrets yet: n adds one; its value is typed hidden and never enters a sandbox'});
		}

		for (const [index, secret] of vault.secrets.entries()) {
			const where =
				secret.hosts.length === 0
					? 'no host: for deploys only'
					: `${secret.hosts.join(' ')}${secret.paths.length === 0 ? '' : ` ${secret.paths.join(' ')}`}`;
			const project = secret.project === null ? '' : ` (${secret.project})`;
			const environment = secret.environment === null ? '' : `, ${secret.environment}`;
			lines.push(
				row(
					[
						{text: `${secret.reference}${project}`, bold: true},
						{text: `  ${secret.class}, ${secret.store}${environment}  `, tone: 'quiet'},
						{text: escapeLine(where)},
					],
					index === state.scroll,
				),
			);
			for (const {run, scope, until} of secret.holders) {
				const left = until === null ? 'until the run ends' : `${formatDuration(Date.parse(until) - state.now)} left`;
				lines.push({
					text: `   in use by ${run} as ${scope}, ${left}`,
					tone: 'warn',
				});
			}
		}
	}

	const selected = lines.findIndex(line => line.back === 'selected');
	return [
		{text: ` Vault  ${vault?.secrets.length ?? 0} ${vault?.secrets.length === 1 ? 'secret' : 'secrets'}`, title: true},
		...inView(lines, selected, height - 1),
	];
}
