import {fromMaven, write, type RealProject} from '../project.ts';

export const plexusCipher: RealProject = {
	name: 'plexus-cipher',
	kind: 'Maven, JUnit',
	from: 'Maven org.codehaus.plexus:plexus-cipher:2.1.0',
	needs: ['java', 'mvn', 'python3'],
	lay(place) {
		fromMaven(place, {group: 'org.codehaus.plexus', name: 'plexus-cipher', version: '2.1.0'});
		write(place, {'.gitignore': 'target\n'});
	},
	tests: 'mvn -B -ntp -o test',
	edits: 'src/main/java/org/sonatype/plexus/components/cipher/PBECipher.java',
	line: '// A remark by an agent.',
};
