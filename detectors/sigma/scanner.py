class LineScanner: pass
