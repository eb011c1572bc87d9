// Says what its arguments are.

console.log(JSON.stringify(process.argv.slice(2)));
