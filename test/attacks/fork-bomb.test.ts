import {sandboxAttack} from '../support/attack.ts';

sandboxAttack({
	title: 'start more and more processes',
	source: 'fork bombs; no neighbour limits processes by default',
	plan: plan => ({...plan, limits: {...plan.limits, processes: 40}}),
	script: () => 'n=0; while [ $n -lt 100 ]; do sleep 3 & n=$((n+1)); done 2>/dev/null; echo all of them',
	succeeded: ({output}) => output.includes('all of them'),
	without: {title: 'a limit of processes', plan: plan => ({...plan, limits: {...plan.limits, processes: 1000}})},
});
