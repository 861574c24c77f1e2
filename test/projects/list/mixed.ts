import path from 'node:path';
import {must, write, type RealProject} from '../project.ts';

/* Projects of several kinds, whose manifests lie below the top. */

const ignored = 'node_modules\n.venv\ndist\ntarget\n__pycache__\n.pytest_cache\n*.egg-info\nbuild\n';

/** A page: one package that it needs, and one that builds it. */
const page = {
	'package.json': {
		name: 'page',
		private: true,
		scripts: {build: 'esbuild src/index.js --bundle --outfile=dist/index.js', test: 'node --test'},
		dependencies: {nanoid: '3.3.8'},
		devDependencies: {esbuild: '0.25.12'},
	},
	'src/index.js': "const {nanoid} = require('nanoid');\nexports.id = () => nanoid();\n",
	'test/id.test.js':
		"const assert = require('node:assert');\nconst {test} = require('node:test');\ntest('id', () => assert.equal(require('../src/index.js').id().length, 21));\n",
};

function below(folder: string, files: Readonly<Record<string, string | object>>): Record<string, string | object> {
	return Object.fromEntries(Object.entries(files).map(([name, content]) => [`${folder}/${name}`, content]));
}

export const webAndApi: RealProject = {
	name: 'web-and-api',
	kind: 'npm and pip, each in a folder',
	from: 'npm nanoid@3, esbuild@0.25; PyPI flask==3.0.3',
	needs: ['node', 'npm', 'python3'],
	lay(place) {
		write(place, {
			'.gitignore': ignored,
			...below('apps/web', page),
			...below('services/api', {
				'pyproject.toml':
					'[project]\nname = "api"\nversion = "1"\ndependencies = ["flask==3.0.3"]\n' +
					'[project.optional-dependencies]\ntest = ["pytest==8.3.3"]\n[tool.setuptools]\npy-modules = ["app"]\n',
				'app.py':
					'from flask import Flask\n\n\ndef create():\n    app = Flask(__name__)\n    app.get("/")(lambda: "hello")\n    return app\n',
				'tests/test_app.py':
					'from app import create\n\n\ndef test_hello():\n    assert create().test_client().get("/").data == b"hello"\n',
			}),
		});
		must({...place, folder: path.join(place.folder, 'apps/web')}, 'npm', 'install', '--package-lock-only');
	},
	tests: '(cd apps/web && npm run build && npm test) && (cd services/api && .venv/bin/python -m pytest)',
	edits: 'services/api/app.py',
	line: '# A remark by an agent.',
};

export const goAndPage: RealProject = {
	name: 'go-and-page',
	kind: 'Go that embeds what npm builds',
	from: 'Go github.com/google/uuid@v1.6.0; npm nanoid@3, esbuild@0.25',
	needs: ['node', 'npm', 'go'],
	lay(place) {
		write(place, {
			'.gitignore': ignored,
			...below('web', page),
			'go.mod': 'module example.com/server\n\ngo 1.21\n\nrequire github.com/google/uuid v1.6.0\n',
			'main.go':
				'package main\n\nimport (\n\t"embed"\n\t"fmt"\n\n\t"github.com/google/uuid"\n)\n\n//go:embed all:web/dist\nvar page embed.FS\n\n' +
				'func id() string { return uuid.NewString() }\n\nfunc main() { fmt.Println(id(), page) }\n',
			'main_test.go':
				'package main\n\nimport "testing"\n\nfunc TestPage(t *testing.T) {\n\tif _, err := page.ReadFile("web/dist/index.js"); err != nil || len(id()) != 36 {\n\t\tt.Fatal(err)\n\t}\n}\n',
		});
		must({...place, folder: path.join(place.folder, 'web')}, 'npm', 'install', '--package-lock-only');
		must(place, 'go', 'mod', 'tidy');
	},
	tests: '(cd web && npm run build && npm test) && go test ./...',
	edits: 'main.go',
	line: '// A remark by an agent.',
};
