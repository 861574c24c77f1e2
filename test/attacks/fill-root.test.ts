import {sandboxAttack} from '../support/attack.ts';

sandboxAttack({
	title: 'fill memory through the sandbox\'s own root folder',
	source: 'what bwrap makes to hang mounts on is a tmpfs without a size',
	script: () => 'for folder in / /dev /run /etc; do touch "$folder/big" && echo written; done',
	succeeded: ({output}) => output.includes('written'),
	without: {title: '--remount-ro', arguments(argv) {
		const at = argv.indexOf('--remount-ro');
		return argv.toSpliced(at, 4);
	}},
});
