import {fromMaven, write, type RealProject} from '../project.ts';

// One of its tests wants this variable, which not every machine has.
const java = 'export JAVA_HOME="$(dirname "$(dirname "$(readlink -f "$(command -v java)")")")"';

export const plexusInterpolation: RealProject = {
	name: 'plexus-interpolation',
	kind: 'Maven, JUnit',
	from: 'Maven org.codehaus.plexus:plexus-interpolation:1.27',
	needs: ['java', 'mvn', 'python3'],
	lay(place) {
		fromMaven(place, {group: 'org.codehaus.plexus', name: 'plexus-interpolation', version: '1.27'});
		write(place, {'.gitignore': 'target\n'});
	},
	policy: [
		'setup:',
		`  - ${java}; mvn -B -ntp verify -Dmaven.test.failure.ignore=true`,
		'network: [repo.maven.apache.org]',
		'verify:',
		`  - ${java}; mvn -B -ntp -o verify`,
		'',
	].join('\n'),
	tests: `${java}; mvn -B -ntp -o verify`,
	edits: 'src/main/java/org/codehaus/plexus/interpolation/BasicInterpolator.java',
	line: '// A remark by an agent.',
};
