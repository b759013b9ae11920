import { transpile } from '../../scripts/transpile.mjs'

export default transpile
