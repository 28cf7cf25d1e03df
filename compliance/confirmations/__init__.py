"""Fields of the catalogue that people have compared with the printed text: kept, listed, in use."""
