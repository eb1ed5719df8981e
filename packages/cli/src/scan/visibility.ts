const servedFolder = /(?:^|\/)(?:public|static|dist|out|www|assets|client|_next)\//;
const serverFolder = /(?:^|\/)(?:server|functions|node_modules|standalone)\//;
const servedFile = /\.(?:[cm]?js|css|html?|map|json|wasm|txt|xml|svg|webmanifest)(?:\.(?:gz|br))?$/;
const sourceMap = /\.map(?:\.(?:gz|br))?$/;

/** Whether a file of a build goes to browsers, as its place and name say: then what it holds is public. */
export function isVisibleToEveryone(shown: string): boolean {
  if (serverFolder.test(shown)) return false;
  return sourceMap.test(shown) || (servedFolder.test(`${shown}`) && servedFile.test(shown));
}
