import fc from 'fast-check'

// A gate that is red by chance is not believed when it is red with reason: every run tries the same examples, unless
// others are asked for (EXAMPLES=2 npm test).
fc.configureGlobal({ seed: Number(process.env.EXAMPLES ?? 1) })
