import {sandboxAttack} from '../support/attack.ts';

sandboxAttack({
	title: 'take the machine\'s memory',
	source: 'no neighbour limits memory by default',
	plan: plan => ({...plan, limits: {...plan.limits, dataSize: 100 * 1024 ** 2}}),
	script: () => 'perl -e \'$x = "a" x (200 * 1024 * 1024); print length($x)\'',
	succeeded: ({output}) => output.includes('209715200'),
	without: {title: 'a limit of memory', plan: plan => ({...plan, limits: {...plan.limits, dataSize: 4 * 1024 ** 3}})},
});
