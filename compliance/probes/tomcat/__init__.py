"""Probes of Tomcat, over the files of its folder conf."""
